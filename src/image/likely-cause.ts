interface Sign {
  readonly in: RegExp;
  readonly hint: (match: RegExpExecArray) => string;
}

/** What a failed command's last lines most often mean, the more telling first. */
const SIGNS: readonly Sign[] = [
  { in: /no space left on device|disk quota exceeded/i, hint: () => "The machine's disk is full." },
  {
    in: /sudo: (?:a password is required|.*no tty present|.*a terminal is required)/i,
    hint: () =>
      "This user may not use sudo without a password: give it (password), log in as root, or allow it in sudoers (NOPASSWD).",
  },
  { in: /sudo: .*incorrect password/i, hint: () => "The password that was given is not the one that sudo wants." },
  {
    in: /is not in the sudoers file|is not allowed to execute/i,
    hint: () => "This user may not use sudo: log in as root.",
  },
  { in: /sudo: (?:command )?not found/i, hint: () => "The machine has no sudo: log in as root." },
  {
    in: /could not resolve|temporary failure (?:in name resolution|resolving)|name or service not known|ENOTFOUND|dns error/i,
    hint: () => "The machine can't resolve names: it has no way to the internet, or needs a proxy (HTTPS_PROXY).",
  },
  {
    in: /certificate verify failed|unable to get local issuer|self[- ]signed certificate|unknown ?issuer/i,
    hint: () => "A certificate is not trusted there: give your authority's file in NODE_EXTRA_CA_CERTS.",
  },
  {
    in: /connection (?:refused|timed out|reset)|network is unreachable|ETIMEDOUT|ECONNREFUSED/i,
    hint: () => "The machine can't reach the index: look at its network, or at the proxy (HTTPS_PROXY).",
  },
  { in: /40[13] (?:unauthorized|forbidden)/i, hint: () => "The index refuses: it wants a login." },
  {
    in: /unable to locate package (\S+)/i,
    hint: ([, name]) => `apt knows no package ${name}: look at its name for this system's release.`,
  },
  {
    in: /(?:could not find a version that satisfies|no matching distribution found for|no solution found)/i,
    hint: () => "No version fits: look at the requirement, the Python version and the machine's architecture.",
  },
  {
    in: /could not get lock|is another process using it|lock-frontend/i,
    hint: () => "Another installer holds the lock: wait until it has ended, or stop it.",
  },
  { in: /\bkilled\b|out of memory|cannot allocate memory/i, hint: () => "The machine ran out of memory." },
  { in: /permission denied/i, hint: () => "This user may not do that: log in as root, or give it the right." },
];

const BY_CODE: ReadonlyMap<number, string> = new Map([
  [126, "The command is there but may not be run."],
  [127, "The command is not there: install what it belongs to, for example by image.apt."],
  [137, "It was killed, most often because memory ran out."],
  [141, "What it wrote to had ended."],
]);

/** What to do about a failed command, or nothing where it can't be said. */
export function likelyCause(code: number, lines: readonly string[]): string | undefined {
  const text = lines.join("\n");
  for (const sign of SIGNS) {
    const match = sign.in.exec(text);
    if (match !== null) return sign.hint(match);
  }
  return BY_CODE.get(code);
}
