import type { Clock } from '../contracts/clock.ts'
import { type Appended, type InboxAppender, type InboxItem, InboxUnavailable } from '../contracts/inbox.ts'
import { faultWords } from './fault-words.ts'
import { insertInboxItem } from './inbox.ts'
import { isBusy, type Store } from './open.ts'

/** Items that may wait for the disk at once; beyond it senders are told to come back. */
const MOST_WAITING = 20_000

/** How long a group is tried again while another process holds the file's lock: Segment waits 5 s for an answer. */
const LONGEST_BUSY_MS = 3500
const BUSY_PAUSE_MS = 50

interface Waiting {
  readonly items: readonly InboxItem[]
  /** In ms since 1970. */
  readonly since: number
  resolve(appended: Appended): void
  reject(error: InboxUnavailable): void
}

/**
 * Requests that wait at the same time share one commit: those that are appended without a pause in between, and while
 * another process keeps the file locked all that come. Each is told after it; then whoever answers the request sees to
 * it that the commit is on the disk.
 */
export class GroupCommitAppender implements InboxAppender {
  #waiting: Waiting[] = []
  #waitingItems = 0
  #scheduled = false
  #closed = false
  /** Why the last commit failed; null once one has succeeded again. */
  lastFailure: string | null = null

  constructor(
    private readonly store: Store,
    private readonly clock: Clock,
    /** Called after each commit that stored something. */
    private readonly onCommit: () => void,
  ) {}

  append(items: readonly InboxItem[]): Promise<Appended> {
    if (this.#closed) return Promise.reject(new InboxUnavailable('shutting down'))
    if (this.#waitingItems + items.length > MOST_WAITING && this.#waitingItems > 0) {
      return Promise.reject(new InboxUnavailable('too much is waiting for the disk'))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ items, since: this.clock.now(), resolve, reject })
      this.#waitingItems += items.length
      if (this.#scheduled) return
      this.#scheduled = true
      queueMicrotask(() => this.#flush())
    })
  }

  /** Refuses new items and commits those that wait. */
  close(): void {
    this.#closed = true
    this.#flush()
  }

  #flush(): void {
    this.#scheduled = false
    const group = this.#waiting
    if (group.length === 0) return
    const now = this.clock.now()
    let stored: number[]
    try {
      stored = this.store.relaxedTransaction(() => group.map(({ items }) => this.#insert(items, now)))
      this.store.guard.expectFiles()
    } catch (error) {
      if (isBusy(error) && now - group[0]!.since < LONGEST_BUSY_MS && !this.#closed) {
        this.#scheduled = true
        this.clock.after(BUSY_PAUSE_MS, () => this.#flush())
        return
      }
      this.#clear()
      this.#refuse(group, error)
      return
    }
    this.#clear()
    this.lastFailure = null
    group.forEach((waiting, index) => {
      const count = stored[index]!
      waiting.resolve({ stored: count, duplicates: waiting.items.length - count })
    })
    // Mapping need not wait for the disk: what a power cut takes back was not acknowledged, and comes again.
    this.onCommit()
  }

  #refuse(group: readonly Waiting[], error: unknown): void {
    this.lastFailure = faultWords(error)
    const refusal = new InboxUnavailable(`the database refused: ${this.lastFailure}`, { cause: error })
    for (const waiting of group) waiting.reject(refusal)
  }

  #clear(): void {
    this.#waiting = []
    this.#waitingItems = 0
  }

  #insert(items: readonly InboxItem[], now: number): number {
    let stored = 0
    for (const item of items) stored += insertInboxItem(this.store, { ...item, receivedAt: now })
    return stored
  }
}
