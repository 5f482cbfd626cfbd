import { join } from "node:path";
import { hostKeyFaults } from "./checks/host-keys.ts";
import { importFaults } from "./checks/imports.ts";
import { sizeSummary, sourceFaults } from "./checks/source.ts";

const root = join(import.meta.dirname, "..");
const faults = [...importFaults(root), ...sourceFaults(root), ...hostKeyFaults(root)];
for (const fault of faults) console.error(fault);
const { files, p90, largest } = sizeSummary(root);
console.log(`${files} files, nine in ten below ${p90 + 1} lines, the largest ${largest}; ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
