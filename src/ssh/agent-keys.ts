import type { BaseAgent, IdentityCallback, ParsedKey, SignCallback, SigningRequestOptions } from "ssh2";
import { loadSsh2 } from "./load.ts";

/** Which keys of an SSH agent are offered: a server listens to a few only. */
export interface AgentChoice {
  readonly only?: readonly Buffer[];
  readonly except?: readonly Buffer[];
}

/** An agent that does not answer has no keys; there may be other ways to log in. */
export async function agentKeys(socket: string, { only, except = [] }: AgentChoice): Promise<BaseAgent> {
  const ssh2 = await loadSsh2();
  const whole = ssh2.createAgent(socket);
  class Chosen extends ssh2.BaseAgent {
    override getIdentities(done: IdentityCallback<ParsedKey>): void {
      whole.getIdentities((_error, keys) => {
        const parsed = ((keys ?? []) as ParsedKey[]).filter((key) => {
          const isOne = (of: Buffer): boolean => of.equals(key.getPublicSSH());
          return (only === undefined || only.some(isOne)) && !except.some(isOne);
        });
        done(null, parsed);
      });
    }
    override sign(
      key: ParsedKey,
      data: Buffer,
      options: SigningRequestOptions | SignCallback,
      done?: SignCallback,
    ): void {
      whole.sign(key, data, options as SigningRequestOptions, done);
    }
  }
  return new Chosen();
}
