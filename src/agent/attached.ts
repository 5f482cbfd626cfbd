/** The first line on an `attach`'s stdout, so that whatever a login shell printed before can be told from the link. */
export const ATTACHED = "skyward-attach 1";
