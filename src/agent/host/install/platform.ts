let libc: string | undefined;

/** What a package with native code is made for: it works elsewhere only where this is the same. */
export function platformName(): string {
  return [process.platform, process.arch, (libc ??= findLibc()), process.versions.modules].join("-");
}

function findLibc(): string {
  if (process.platform !== "linux") return "";
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime === undefined ? "musl" : "glibc";
}
