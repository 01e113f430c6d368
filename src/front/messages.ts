import type { ServerSettings, Tenant } from '../contracts/configuration.ts'
import type { InboxItem } from '../contracts/inbox.ts'
import type { CommitDisk } from '../disk/wal-sync.ts'
import type { LogFields } from '../observe/log.ts'

/** What the HTTP thread needs to know of the configuration. */
export interface FrontSettings {
  readonly server: Pick<ServerSettings, 'maxBodyBytes'>
  /** Without their rules, which may hold what cannot cross to another thread. */
  readonly tenants: readonly Tenant[]
}

/** The items of a tenant that go the same way. */
export function wayOf({ tenant, source }: Pick<InboxItem, 'tenant' | 'source'>): string {
  return `${source} ${tenant}`
}

/** What the main thread says to the HTTP thread. IDs are the HTTP thread's. */
export type ToFront =
  | {
      readonly kind: 'listen'
      readonly hostname: string
      readonly port: number
      readonly settings: FrontSettings
      readonly disk: CommitDisk
      /** The memory of `WaitingRequests`. */
      readonly waiting: SharedArrayBuffer
    }
  /** Requests from now on are for this configuration. */
  | { readonly kind: 'configure'; readonly settings: FrontSettings }
  /**
   * All of a `keep` is committed, and to be synced before it is answered; how many items of each group were new, and the
   * count of doubts before it was committed.
   */
  | {
      readonly kind: 'kept'
      readonly id: number
      readonly stored: readonly number[]
      readonly doubts: number
    }
  /** Nothing of a `keep` is known to be kept. */
  | { readonly kind: 'unkept'; readonly id: number; readonly why: string }
  | { readonly kind: 'answered'; readonly id: number; readonly answer: PlainAnswer }
  /** New items of these ways are turned away for now. */
  | { readonly kind: 'full'; readonly ways: readonly string[] }
  /** New requests are answered 503. */
  | { readonly kind: 'stopping' }
  /** Takes no new connections; `drained` says when all requests are answered. */
  | { readonly kind: 'drain' }
  | { readonly kind: 'close' }

/** What the HTTP thread says to the main thread. */
export type FromFront =
  | { readonly kind: 'listening'; readonly port: number }
  | { readonly kind: 'failed'; readonly message: string }
  /** The last `configure` is in force. */
  | { readonly kind: 'configured' }
  /**
   * To be put on the disk, in this order: of each item its tenant, source, key and payload, one after the other. A group
   * is what one request brought.
   */
  | {
      readonly kind: 'keep'
      readonly id: number
      readonly groups: readonly number[]
      readonly items: readonly string[]
    }
  /** A request for the routes of the main thread. */
  | { readonly kind: 'ask'; readonly id: number; readonly request: PlainRequest }
  | {
      readonly kind: 'log'
      readonly level: 'info' | 'warn' | 'error'
      readonly fields: LogFields
      readonly message: string
    }
  | { readonly kind: 'drained' }
  | { readonly kind: 'closed' }

/** A request as it crosses threads: the routes of the main thread take no bodies. */
export interface PlainRequest {
  readonly method: string
  readonly url: string
  readonly headers: readonly (readonly [string, string])[]
}

export interface PlainAnswer {
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}
