import type { PluginCall, PluginHost, PluginResult } from '../../src/contracts/plugin-host.ts'

/** A host whose answers a test gives, when it wants to. */
export interface PluginStub extends PluginHost {
  /** The batches that wait for an answer, in order. */
  readonly waiting: readonly WaitingCall[]
}

export interface WaitingCall {
  readonly plugin: string
  readonly tenant: string
  readonly calls: readonly PluginCall[]
  /** With the same for each call; without anything, the messages as they were given. */
  answer(result?: PluginResult): void
}

/** Calls wait until they are answered; with `at once`, each gets that result. */
export function pluginStub(atOnce?: PluginResult | 'unchanged'): PluginStub {
  const waiting: WaitingCall[] = []
  return {
    waiting,
    call(plugin, tenant, calls) {
      const { promise, resolve } = Promise.withResolvers<readonly PluginResult[]>()
      const answer = (result?: PluginResult) =>
        resolve(
          calls.map(({ messages }) => {
            const unchanged = {
              kind: 'messages',
              messages: messages.map((_, index) => String(index)),
            } as const
            return result ?? unchanged
          }),
        )
      if (atOnce === undefined) waiting.push({ plugin, tenant, calls, answer })
      else answer(atOnce === 'unchanged' ? undefined : atOnce)
      return promise
    },
    stop() {},
  }
}
