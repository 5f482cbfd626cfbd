const NATIVE = /^function \w+\(\) \{\s*\[native code\]\s*\}$/;

/**
 * Whether a prototype is that of a built-in class, in whatever realm: test runners run modules in one of their own, where
 * `Object` and `Array` are others.
 */
export function isPrototypeOf(
  prototype: unknown,
  builtin: ObjectConstructor | ArrayConstructor | MapConstructor | SetConstructor,
): boolean {
  if (prototype === builtin.prototype) return true;
  if (typeof prototype !== "object" || prototype === null) return false;
  const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  return (
    typeof constructor === "function" &&
    constructor.name === builtin.name &&
    constructor.prototype === prototype &&
    NATIVE.test(Function.prototype.toString.call(constructor))
  );
}
