/** Why a node, or a task on it, was lost. `neverStarted`: the task had not even left for its node. */
export type LossCause = "neverStarted" | "processDied" | "hostRestarted" | "nodeGone" | "unknown";
