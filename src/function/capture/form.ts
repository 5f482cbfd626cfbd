import type { DynamicNames } from "./dynamic-names.ts";
import { lexicalUse } from "./variable.ts";
import type { LoadedModule } from "./loaded-module.ts";
import { isExpression, type Node } from "./parser.ts";
import { Path, refuse } from "./refuse.ts";

/** Refuses forms whose meaning depends on where they stand. */
export function checkForm(text: string, node: Node, module: LoadedModule, path: Path): void {
  const lexical = lexicalUse(node);
  if (lexical !== undefined) {
    const word = module.source.slice(lexical.start, lexical.end);
    const place = new Path([path.root], module.original(lexical.start));
    throw refuse(
      "SKY_CAPTURE_UNSERIALIZABLE",
      place.to(word),
      "",
      `means the ${word} of the code around the arrow function, which does not travel`,
      "Put what you need of it into a const beside the function, or pass it as an argument.",
    );
  }
  const dynamic = module.dynamicNames(node.start, node.end);
  if (dynamic !== undefined) throw refuseDynamic(dynamic, module, path);
  if (isExpression(text)) return;
  if (/^(async\s*)?\*?\s*(get|set)\s+[\w$#["']/.test(text) && !/^(get|set)\s*\(/.test(text))
    throw refuse("SKY_CAPTURE_UNSUPPORTED", path, "", "is a getter or setter", "Write it as a function.");
  if (!isExpression(`{${text}}`) || /\bsuper\b/.test(text))
    throw refuse(
      "SKY_CAPTURE_UNSUPPORTED",
      path,
      "",
      "is written in a form that can't stand alone",
      "Write it as a function or an arrow function.",
    );
}

function refuseDynamic({ word, start }: DynamicNames, module: LoadedModule, path: Path): Error {
  const [what, why, hint] =
    word === "eval"
      ? [
          "eval()",
          "reads the variables around it by names that only its text has, so they can't be found and sent",
          'Hand it the values: new Function("x", "return x + 1")(x).',
        ]
      : [
          "with",
          "makes it unknown which names are variables, so they can't be found and sent",
          "Write out the names: o.x.",
        ];
  return refuse("SKY_CAPTURE_UNSUPPORTED", path.to(what, module.original(start)), "", why, hint);
}
