import { holdDocker } from "./holder.ts";
import { makeImages } from "./images.ts";
import { makeNetwork } from "./network.ts";
import { removeLeftovers } from "./owner.ts";

/** Docker, the machines' images and their network, before the first test; a run that can't have them fails. */
export default async function setUp(): Promise<() => Promise<void>> {
  const docker = await holdDocker();
  try {
    await removeLeftovers();
    await makeNetwork();
    await makeImages();
    docker.prepared();
  } catch (error) {
    await docker.release();
    throw error;
  }
  return async () => {
    await removeLeftovers();
    await docker.release();
  };
}
