import type { NoteRecord } from "../../wire/records.ts";

/** A NOTE that is for the node, not for its link. */
export type NodeNote = Exclude<NoteRecord, { readonly type: "code" | "npm" }>;
