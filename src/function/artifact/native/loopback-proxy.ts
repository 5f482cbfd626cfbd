const LOOPBACK = /^(?:[a-z0-9+.-]+:\/\/)?(?:[^@/]*@)?(?:localhost|127(?:\.\d+){3}|\[::1\]|0\.0\.0\.0)(?::|\/|$)/i;

/** Whether a proxy is one of this computer's own, which no other machine reaches. */
export function isLoopbackProxy(proxy: string): boolean {
  return LOOPBACK.test(proxy);
}
