/** Every code, with what a user does about it. Each has a page `docs/errors/<CODE>.md`. */
const HINTS = {
  SKY_BAD_OPTION: "Check the option's name and value against the message.",
  SKY_BAD_DURATION: 'Write durations with a unit, such as "1.5s", "10m" or "2h".',
  SKY_BAD_NODES: "Give nodes as 4, [2, 8] or { desired, min, max }, all whole numbers of at least 1.",
  SKY_BAD_TARGET: 'Give target as "head" or the rank of a node in the pool.',
  SKY_BAD_CALL: "Dispatch what sky.fn or sky.gather returned: pool.run(train(0.1)).",
  SKY_BAD_REF: "Pass a Ref as a whole argument, to calls of the pool that made it, before it is released.",
  SKY_POOL_CLOSED: "Dispatch inside the scope of sky.compute, before it ends.",
  SKY_POOL_FAILED: "See the cause: no node of the pool could be made ready.",
  SKY_ON_NODE: "Open pools in your own program; a shipped function can't open one.",
  SKY_NOT_ON_NODE: "This makes sense only in the program that owns the pool.",
  SKY_NOT_IN_TASK: "Call this inside a function that a pool runs.",
  SKY_TASK_TIMEOUT: 'Give the function more time: sky.fn(body, { timeout: "30m" }).',
  SKY_QUEUE_TIMEOUT: "Add nodes or slots, or give a longer queueTimeout.",
  SKY_TASK_CANCELLED: "The task was cancelled by its caller.",
  SKY_BROADCAST_FAILED: "See results for what each node answered; errors has the failures alone.",
  SKY_TASK_LOST: "The node or process that ran the task is gone; see details for the cause and the attempts.",
  SKY_CAPTURE_UNSERIALIZABLE: "Make what the message names inside the function, or pass plain data.",
  SKY_CAPTURE_UNSUPPORTED: "Move the function to a module, or write it in a form that the message names.",
  SKY_CAPTURE_UNRESOLVED: "Install the package, or correct the import that the message names.",
  SKY_CACHE_FAILED: "Give the function a folder of your own for its results: cache: { dir }, or leave cache out.",
  SKY_VALUE_UNSERIALIZABLE: "Pass plain data, or give the class a codec with sky.register.",
  SKY_VALUE_MALFORMED: "The bytes are not a value of this format; the peer may run another version.",
  SKY_VALUE_LIMIT: "The value is deeper or larger than the limit in the message.",
  SKY_WIRE_MALFORMED: "The peer sent a frame that breaks the protocol; the link was closed.",
  SKY_WIRE_VERSION: "Use the same version of skyward on both ends.",
  SKY_LINK_LOST: "The connection to the node was lost and could not be resumed.",
  SKY_LINK_BUSY: "The node has too many connections that have not shown a token; the pool tries again by itself.",
  SKY_LINK_REFUSED: "The agent takes no link with this token or epoch; a newer controller owns the node.",
  SKY_AGENT_FAILED: "The agent on the node did not start; its last lines are in the message.",
  SKY_BOOTSTRAP_FAILED: "See the failed command's last lines in the message.",
  SKY_INSTALL_FAILED: "See npm's last lines in the message: the node must reach the registry that has the package.",
  SKY_EXEC_FAILED: "See what the command said; { check: false } returns its exit code in place of an error.",
  SKY_FILES_FAILED: "See the path and the reason in the message.",
  SKY_SSH_CONNECT: "Check host, port, user and that sshd answers: ssh user@host true.",
  SKY_SSH_AUTH: "Check the key and the user: ssh -i key user@host true.",
  SKY_SSH_HOST_KEY: "If the change is expected, remove the old line from known_hosts and add the new key.",
  SKY_SSH_HOST_UNKNOWN: "Add the host's key to known_hosts: ssh-keyscan -p port host, checked against the machine.",
  SKY_PROVIDER_CAPACITY: "The provider has no such machine to give now; ask for another shape, place or time.",
  SKY_PROVIDER_REFUSED: "The provider can't do what was asked; correct what its words in the message name.",
  SKY_PROVIDER_BUSY: "The provider takes no more calls for the moment; try again later.",
  SKY_PROVIDER_FAILED: "A call to the provider failed; sky sweep shows and removes what may be left there.",
} as const;

export type ErrorCode = keyof typeof HINTS;
export const ERROR_CODES: readonly ErrorCode[] = Object.keys(HINTS) as ErrorCode[];

export function hintOf(code: ErrorCode): string {
  return HINTS[code];
}
