import type { JsonObject } from '../contracts/json.ts'
import type { PluginCall } from '../contracts/plugin-host.ts'
import type { CallOutcome, LoadOutcome } from './outcome.ts'

/** A plugin as the threads know it. */
export interface ThreadPlugin {
  readonly name: string
  /** The bundle: one ES module without imports. */
  readonly code: string
  readonly timeoutMs: number
  readonly memoryBytes: number
  readonly time: boolean
  readonly random: boolean
  readonly net: readonly string[]
  /** Secrets. */
  readonly env: Readonly<Record<string, string>>
  readonly options: JsonObject
}

/** What the main thread says to the sandbox's thread. IDs count from 1. */
export type ToSandbox =
  | {
      readonly kind: 'start'
      readonly progress: SharedArrayBuffer
      readonly plugins: readonly ThreadPlugin[]
    }
  /** Loads it once and throws that away; from then on it can be called. */
  | { readonly kind: 'load'; readonly id: number; readonly plugin: ThreadPlugin }
  | {
      readonly kind: 'run'
      readonly id: number
      readonly plugin: string
      readonly tenant: string
      readonly calls: readonly PluginCall[]
    }

export type FromSandbox =
  | { readonly kind: 'ready' }
  | { readonly kind: 'loaded'; readonly id: number; readonly outcome: LoadOutcome }
  /** The next outcomes of a batch, in order; a batch may be answered in several parts. */
  | { readonly kind: 'outcomes'; readonly id: number; readonly outcomes: readonly CallOutcome[] }

/** What the main thread says to a trusted plugin's thread, one at a time. */
export type ToTrusted =
  | { readonly kind: 'load'; readonly plugin: ThreadPlugin }
  | { readonly kind: 'run'; readonly tenant: string; readonly call: PluginCall }

export type FromTrusted =
  | { readonly kind: 'ready' }
  | { readonly kind: 'loaded'; readonly outcome: LoadOutcome }
  | { readonly kind: 'outcome'; readonly outcome: CallOutcome }
  /** It threw where nobody waited, and ends. */
  | { readonly kind: 'crashed'; readonly outcome: CallOutcome & { kind: 'threw' } }
