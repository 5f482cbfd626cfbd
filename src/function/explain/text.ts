import { relative } from "node:path";
import type { ExplainedData } from "./explanation.ts";
import { sizeText } from "./size.ts";
import { type Column, table } from "./table.ts";

/** How parts are painted; nothing is, where it is left out. */
export interface Paint {
  dim(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
  green(text: string): string;
  cyan(text: string): string;
}

const same = (text: string): string => text;
const PLAIN: Paint = { dim: same, red: same, yellow: same, green: same, cyan: same };
/** Longer lists are cut here: the smallest are left out. */
const MOST = 40;

/** An explanation for people: a heading, a table for each kind of thing that travels, warnings, a refusal. */
export function explanationText(explanation: ExplainedData, paint: Paint = PLAIN): string {
  const { name, file, line, bytes, files, packages, externals, values, sources, warnings, refused } = explanation;
  const place = file === "" ? "" : `  ${paint.dim(`${near(file)}:${line}`)}`;
  const out = [`${paint.cyan(name)}${place}`];
  if (refused === undefined) {
    const count = files.length + packages.reduce((sum, item) => sum + item.files, 0);
    out.push(
      `  ${paint.green("can be sent")}: ${count} ${count === 1 ? "file" : "files"}, ${sizeText(bytes.raw)}, about ${sizeText(bytes.compressed)} compressed`,
    );
  } else {
    out.push(
      `  ${paint.red(`refused [${refused.code}]`)}`,
      ...indented(refused.message),
      ...indented(paint.yellow(refused.hint)),
    );
  }
  const add = (title: string, columns: readonly Column[], rows: readonly (readonly string[])[]): void => {
    if (rows.length === 0) return;
    out.push("", `  ${title}`, ...table(columns, rows.slice(0, MOST), { indent: "    ", head: paint.dim }));
    if (rows.length > MOST) out.push(`    ${paint.dim(`and ${rows.length - MOST} more`)}`);
  };
  const [size, why] = [{ title: "SIZE", right: true }, { title: "WHY" }];
  add(
    "functions and classes, as source",
    [{ title: "NAME" }, { title: "KIND" }, { title: "PLACE" }],
    sources.map((item) => [item.name, item.kind, `${near(item.file)}:${item.line}`]),
  );
  add(
    "captured values",
    [{ title: "NAME" }, { title: "TYPE" }, size, why],
    values.map((item) => [item.name, item.type, sizeText(item.size), item.why]),
  );
  add(
    "own files",
    [{ title: "PATH" }, size, why],
    files.map((item) => [item.path, sizeText(item.size), item.why]),
  );
  add(
    "packages",
    [{ title: "NAME" }, { title: "VERSION" }, { title: "FILES", right: true }, size, why],
    packages.map((item) => [
      item.name,
      item.version,
      item.whole ? `all ${item.files}` : String(item.files),
      sizeText(item.size),
      item.why,
    ]),
  );
  add(
    "native packages, installed where it runs",
    [{ title: "NAME" }, { title: "VERSION" }, { title: "NATIVE" }, why],
    externals.map((item) => [item.name, item.version, item.native, item.why]),
  );
  if (warnings.length > 0) out.push("", ...warnings.map((text) => `  ${paint.yellow("warning:")} ${text}`));
  return out.join("\n");
}

function indented(text: string): string[] {
  return text.split("\n").map((line) => `  ${line}`);
}

/** From where the user is, if that is above. */
function near(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith("..") || path === "" ? file : path;
}
