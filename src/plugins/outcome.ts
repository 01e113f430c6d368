/** What came of one call inside a plugin's thread, before places are found in the sources. */
export type CallOutcome =
  /** The items of a list, as `inside/calling.ts` writes them. */
  | { readonly kind: 'messages'; readonly messages: readonly string[] }
  /** Null stands for a plugin that gave no reason. */
  | { readonly kind: 'skipped'; readonly reason: string | null }
  | Failure

/** What came of loading a plugin's module. */
export type LoadOutcome =
  | { readonly kind: 'loaded' }
  /** `missing` says which part, as `no default export`. */
  | { readonly kind: 'not_a_plugin'; readonly missing: string }
  | Failure

export type Failure =
  | { readonly kind: 'threw'; readonly thrown: Thrown }
  /** With the stack at that moment, where it is known. */
  | { readonly kind: 'took_too_long'; readonly stack: string | null }
  | { readonly kind: 'out_of_memory' }
  /** What it returned cannot be sent; `what` is ours and quotes nothing. */
  | { readonly kind: 'unusable'; readonly what: string; readonly detail: string | null }
  /** The thread or the sandbox itself ended; `what` is ours and quotes nothing. */
  | { readonly kind: 'broke'; readonly what: string }

/** What a plugin threw. It may be forged by the plugin in every part. */
export interface Thrown {
  /** What `typeof` says, or `Error`, for reasons. */
  readonly type: string
  /** Null when it has no such text. At most 60, 500 and 4,000 characters. */
  readonly name: string | null
  readonly message: string | null
  readonly stack: string | null
}
