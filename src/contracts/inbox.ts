/** Where an inbox item came from; it decides how its payload is read. */
export type Source = 'refiner_webhook' | 'segment'

/** One item to be kept before its sender is answered. */
export interface InboxItem {
  readonly tenant: string
  readonly source: Source
  /** The same key again from the same tenant and source is the same item and is stored once. */
  readonly dedupKey: string
  /** JSON text. */
  readonly payload: string
}

/** How many of an append's items were new; the others were stored before. */
export interface Appended {
  readonly stored: number
  readonly duplicates: number
}

/** Keeps items. */
export interface InboxAppender {
  /**
   * Resolves after the commit that holds all of the items. For the thread that answers requests that is when they are
   * on the disk; for the one that writes, when only a power cut could take them back. Rejects with InboxUnavailable when they cannot be kept;
   * then none of them is.
   */
  append(items: readonly InboxItem[]): Promise<Appended>
}

/** The items were not kept: the queue is full, the disk refused, or the program is stopping. */
export class InboxUnavailable extends Error {
  override name = 'InboxUnavailable'

  /** `isFull`: the sender is to be told so, in these words. */
  constructor(
    message: string,
    readonly options: ErrorOptions & { readonly isFull?: boolean } = {},
  ) {
    super(message, options)
  }

  get isFull(): boolean {
    return this.options.isFull === true
  }
}
