import type { PluginSettings } from '../contracts/configuration.ts'
import type { PluginCall, PluginHost, PluginResult } from '../contracts/plugin-host.ts'
import { describeFailure, withoutSecrets } from './describe-failure.ts'
import type { CallOutcome } from './outcome.ts'
import type { SandboxThread } from './sandbox-thread.ts'
import type { SourcePlaces } from './source-places.ts'
import type { TrustedThread } from './trusted-thread.ts'

export interface LoadedPlugin {
  readonly settings: PluginSettings
  readonly places: SourcePlaces
  /** Null for a sandboxed one. */
  readonly trusted: TrustedThread | null
}

/** Hands calls to the threads, and tells what went wrong in terms of the plugins' sources. */
export class ThreadedHost implements PluginHost {
  readonly #sandbox: SandboxThread
  readonly #plugins: ReadonlyMap<string, LoadedPlugin>

  constructor(sandbox: SandboxThread, plugins: ReadonlyMap<string, LoadedPlugin>) {
    this.#sandbox = sandbox
    this.#plugins = plugins
  }

  async call(name: string, tenant: string, calls: readonly PluginCall[]): Promise<readonly PluginResult[]> {
    const plugin = this.#plugins.get(name)
    if (plugin === undefined) {
      return calls.map(() => ({ kind: 'failed', reason: `there is no plugin ${name}`, detail: null }))
    }
    const outcomes = await (plugin.trusted === null
      ? this.#sandbox.run(name, tenant, calls)
      : plugin.trusted.run(tenant, calls))
    return outcomes.map((outcome) => resultOf(outcome, plugin))
  }

  stop(): void {
    this.#sandbox.stop()
    for (const { trusted } of this.#plugins.values()) trusted?.stop()
  }
}

function resultOf(outcome: CallOutcome, { settings, places }: LoadedPlugin): PluginResult {
  if (outcome.kind === 'messages') return outcome
  if (outcome.kind !== 'skipped') return { kind: 'failed', ...describeFailure(outcome, settings, places) }
  const reason = outcome.reason ?? `plugin ${settings.name} returned null`
  return { kind: 'skipped', reason: withoutSecrets(reason, settings) }
}
