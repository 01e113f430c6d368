import { type Appended, type InboxAppender, type InboxItem, InboxUnavailable } from '../contracts/inbox.ts'
import { SyncFailed, type WalSync } from '../disk/wal-sync.ts'
import type { FromFront } from './messages.ts'

/** What may wait for the disk at once; beyond either bound senders are told to come back. */
const MOST_ITEMS = 20_000
const MOST_CHARACTERS = 64 * 1024 * 1024

/** Segment waits 5 s for an answer. What the disk takes later than this is kept nevertheless, and known when it comes again. */
const LONGEST_WAIT_MS = 4500

interface Waiting {
  readonly items: readonly InboxItem[]
  readonly resolve: (appended: Appended) => void
  readonly reject: (error: InboxUnavailable) => void
}

/** A message to the thread that writes, and who waits for it. */
interface Sent {
  readonly waiting: readonly Waiting[]
  readonly characters: number
  readonly timer: Timer
}

/**
 * Hands items to the thread that owns the database. What comes while it writes goes in the next message, so that all of
 * it shares a commit; the thread of the requests itself never waits for the disk.
 */
export class RemoteInbox implements InboxAppender {
  #next: Waiting[] = []
  #items = 0
  #characters = 0
  #lastId = 0
  #isWriting = false
  #disk: WalSync | null = null
  readonly #sent = new Map<number, Sent>()
  #full: ReadonlySet<string> = new Set()

  constructor(private readonly post: (message: FromFront) => void) {}

  append(items: readonly InboxItem[]): Promise<Appended> {
    if (this.#items > 0 && (this.#items + items.length > MOST_ITEMS || this.#characters > MOST_CHARACTERS)) {
      return Promise.reject(new InboxUnavailable('too much is waiting for the disk'))
    }
    if (this.#full.size > 0 && items.some(({ tenant }) => this.#full.has(tenant))) {
      return Promise.reject(new InboxUnavailable('too much is waiting to be delivered for this tenant'))
    }
    return new Promise((resolve, reject) => {
      this.#next.push({ items, resolve, reject })
      this.#items += items.length
      for (const { payload } of items) this.#characters += payload.length
      this.#send()
    })
  }

  /** What the other thread commits is on the disk when this says so. */
  syncWith(disk: WalSync): void {
    this.#disk = disk
  }

  /** From now on items of these tenants are turned away. */
  turnAway(tenants: readonly string[]): void {
    this.#full = new Set(tenants)
  }

  /** What has been committed is answered once it is on the disk. */
  async kept(id: number, stored: readonly number[], doubts: number): Promise<void> {
    // The next message is written while this one is synced.
    this.#isWriting = false
    this.#send()
    try {
      await this.#disk!.onDisk(doubts)
    } catch (error) {
      this.#refuse(
        id,
        `the database refused: ${error instanceof SyncFailed ? error.message : 'unknown fault'}`,
      )
      return
    }
    for (const [index, { items, resolve }] of this.#take(id).entries()) {
      const count = stored[index]!
      resolve({ stored: count, duplicates: items.length - count })
    }
  }

  unkept(id: number, why: string): void {
    this.#isWriting = false
    this.#refuse(id, why)
    this.#send()
  }

  #refuse(id: number, why: string): void {
    const refusal = new InboxUnavailable(why)
    for (const { reject } of this.#take(id)) reject(refusal)
  }

  #send(): void {
    if (this.#next.length === 0 || this.#isWriting) return
    const waiting = this.#next
    this.#next = []
    const items: string[] = []
    let characters = 0
    for (const group of waiting) {
      for (const { tenant, source, dedupKey, payload } of group.items) {
        items.push(tenant, source, dedupKey, payload)
        characters += payload.length
      }
    }
    this.#lastId += 1
    const id = this.#lastId
    const timer = setTimeout(() => this.#refuse(id, 'the disk takes too long'), LONGEST_WAIT_MS)
    this.#isWriting = true
    this.#sent.set(id, { waiting, characters, timer })
    this.post({ kind: 'keep', id, groups: waiting.map((group) => group.items.length), items })
  }

  /** Who waits for the message: nobody any more, if it took too long. */
  #take(id: number): readonly Waiting[] {
    const sent = this.#sent.get(id)
    if (sent === undefined) return []
    this.#sent.delete(id)
    clearTimeout(sent.timer)
    this.#characters -= sent.characters
    for (const { items } of sent.waiting) this.#items -= items.length
    return sent.waiting
  }
}
