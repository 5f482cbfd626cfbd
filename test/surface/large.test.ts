import { expect, test } from "vitest";
import { runProgram } from "../support/program.ts";

test("large values", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/large.ts");
  expect(points, report).toEqual([
    "large arguments and results come back whole",
    "an argument is taken as it was when the call was made",
    "what a result was made from stays the node's",
    "an object that many items have is sent to each node once",
    "shared objects keep their identity inside an item",
    "1,000 tasks that share a Ref send it to each of 4 nodes once",
    "a Ref is any value: an item, an object, a number; each task has a copy of its own",
    "a Ref of many MB is a copy of its own each time, also where it is there twice",
    "a call that runs here gets a copy of what a Ref stands for",
    "a Ref in the wrong place is refused in words",
    "a host that ended is sent what it lost",
    "a task whose argument is on its way can be cancelled, others go on",
    "above its limit a node moves values to disk, and has them when they are needed",
    "what lies on disk is hashed again, and sent anew when it was changed",
    "processes get large arguments, shared values and Refs too, each a copy of its own",
  ]);
  expect(code, report).toBe(0);
});

test("memory of large values", async () => {
  const { code, points, report } = await runProgram("test/surface/programs/large-memory.ts");
  expect(points, report).toEqual([
    "a large argument takes its own size here, and no more",
    "the next ones take its place, and in the end the memory is given back",
    "large items that are pulled do not pile up, here or on the node",
    "memory that is used again holds nothing that is still needed",
    "in a thread large memory takes few faults where the machine has huge pages",
    "in a process large memory takes few faults where the machine has huge pages",
  ]);
  expect(code, report).toBe(0);
});
