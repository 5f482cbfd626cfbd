import { defineConfig } from "vitest/config";

const root = import.meta.dirname;

/**
 * Five projects, so that the gate can run and count them apart. `skyward` means the sources here; programs that tests
 * start as processes of their own get the same by `--conditions=skyward:source`.
 */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^skyward$/, replacement: `${root}/src/index.ts` },
      { find: /^skyward\/conformance$/, replacement: `${root}/src/conformance.ts` },
    ],
  },
  test: {
    globalSetup: [`${root}/test/support/build-agent.ts`],
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: "unit", include: ["src/**/*.test.ts"], testTimeout: 15_000 } },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/**/*.test.ts"],
          exclude: ["test/{examples,package,rig,machines}/**", "**/fixtures/**"],
          // These run programs against real time on machines that others use too: a starved one gets a second chance.
          retry: 1,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          // Real machines: containers with an sshd and an address each.
          name: "machines",
          include: ["test/{rig,machines}/**/*.test.ts"],
          globalSetup: [`${root}/test/rig/global-setup.ts`],
          retry: 1,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "examples",
          include: ["test/examples/**/*.test.ts"],
          testTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: "package",
          include: ["test/package/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
