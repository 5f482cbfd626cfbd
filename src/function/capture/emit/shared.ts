/** The specifier by which emitted modules import this one. */
export const SHARED = "skyward:shared";

/**
 * The module of the tree that keeps one copy of what several emitted modules share: `once` gives what a module makes of
 * the same arguments, `named` what was made under a name, `state` the object that stands for a variable of home while it
 * holds the same. Plain CommonJS, for
 * modules of both kinds.
 */
export const SHARED_TEXT = `"use strict";
const { serialize } = require("node:v8");
const { createHash } = require("node:crypto");
const made = new WeakMap();
const states = new Map();
exports.once = (make, args) => {
  let list = made.get(make);
  if (list === undefined) made.set(make, (list = []));
  let found = list.find((one) => one.args.every((arg, index) => Object.is(arg, args[index])));
  if (found === undefined) {
    found = { args, exports: make(...args) };
    if (list.push(found) > 64) list.shift();
  }
  return found.exports;
};
const named = new Map();
exports.named = (name, make) => {
  if (!named.has(name)) named.set(name, make());
  return named.get(name);
};
const box = (value) => ({ value, get() { return this.value; } });
exports.state = (variable, value, boxed) => {
  if (!boxed && (typeof value !== "object" || value === null)) return value;
  let key;
  try {
    key = variable + createHash("sha256").update(serialize(value)).digest("hex");
  } catch {
    return boxed ? box(value) : value;
  }
  let state = states.get(key);
  if (state === undefined) {
    states.set(key, (state = boxed ? box(value) : value));
    if (states.size > 256) states.delete(states.keys().next().value);
  }
  return state;
};
`;
