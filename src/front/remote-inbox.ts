import { type Appended, type InboxAppender, type InboxItem, InboxUnavailable } from '../contracts/inbox.ts'
import { SyncFailed, type WalSync } from '../disk/wal-sync.ts'
import { type FromFront, wayOf } from './messages.ts'
import { WaitingRequests } from './waiting-requests.ts'

/** What may wait for the disk at once; beyond either bound senders are told to come back. */
const MOST_ITEMS = 20_000
const MOST_CHARACTERS = 64 * 1024 * 1024

/**
 * Segment waits 5 s for an answer. What has been handed over by then and is kept later is known when it comes again.
 */
const LONGEST_WAIT_MS = 4500

interface Waiting {
  readonly items: readonly InboxItem[]
  readonly characters: number
  /** On the clock that is never set back. */
  readonly since: number
  readonly resolve: (appended: Appended) => void
  readonly reject: (error: InboxUnavailable) => void
}

/** A message to the thread that writes, and who waits for it. */
type Sent = readonly Waiting[]

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
  #isTimed = false
  #waiting = new WaitingRequests()

  constructor(private readonly post: (message: FromFront) => void) {}

  append(items: readonly InboxItem[]): Promise<Appended> {
    if (this.#items > 0 && (this.#items + items.length > MOST_ITEMS || this.#characters > MOST_CHARACTERS)) {
      return Promise.reject(new InboxUnavailable('too much is waiting for the disk'))
    }
    if (this.#full.size > 0 && items.some((item) => this.#full.has(wayOf(item)))) {
      return Promise.reject(
        new InboxUnavailable('too much is waiting to be delivered already', { isFull: true }),
      )
    }
    return new Promise((resolve, reject) => {
      let characters = 0
      for (const { payload } of items) characters += payload.length
      this.#next.push({ items, characters, since: performance.now(), resolve, reject })
      this.#waiting.add(1)
      this.#items += items.length
      this.#characters += characters
      if (!this.#isTimed) this.#giveUpIn(LONGEST_WAIT_MS)
      this.#send()
    })
  }

  /** What the other thread commits is on the disk when `disk` says so; how many wait for it, it may want to know. */
  share(disk: WalSync, waiting: WaitingRequests): void {
    this.#disk = disk
    this.#waiting = waiting
  }

  /** From now on items of these tenants and sources are turned away: see `wayOf`. */
  turnAway(ways: readonly string[]): void {
    this.#full = new Set(ways)
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
      // Who was told that it takes too long hears nothing more.
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
    for (const group of waiting) {
      for (const { tenant, source, dedupKey, payload } of group.items) {
        items.push(tenant, source, dedupKey, payload)
      }
    }
    this.#lastId += 1
    const id = this.#lastId
    this.#isWriting = true
    this.#sent.set(id, waiting)
    this.post({ kind: 'keep', id, groups: waiting.map((group) => group.items.length), items })
  }

  /**
   * Tells those who have waited too long. What has been handed over counts as waiting until the other thread is done with
   * it: however long the disk stands still, no more piles up than the bounds allow.
   */
  #giveUp(): void {
    const late = performance.now() - LONGEST_WAIT_MS
    const isLate = ({ since }: Waiting) => since <= late
    const refusal = new InboxUnavailable('the disk takes too long')
    for (const sent of this.#sent.values()) for (const one of sent.filter(isLate)) one.reject(refusal)
    const dropped = this.#next.filter(isLate)
    this.#next = this.#next.filter((one) => !isLate(one))
    for (const one of dropped) one.reject(refusal)
    this.#release(dropped)
    const oldest = [...this.#sent.values()].flat().find((one) => !isLate(one)) ?? this.#next[0]
    this.#isTimed = false
    if (oldest !== undefined) this.#giveUpIn(oldest.since - late)
  }

  #giveUpIn(ms: number): void {
    this.#isTimed = true
    setTimeout(() => this.#giveUp(), Math.max(1, ms))
  }

  /** Who waits for the message. */
  #take(id: number): Sent {
    const sent = this.#sent.get(id)
    if (sent === undefined) return []
    this.#sent.delete(id)
    this.#release(sent)
    return sent
  }

  #release(waiting: readonly Waiting[]): void {
    this.#waiting.add(-waiting.length)
    for (const { items, characters } of waiting) {
      this.#items -= items.length
      this.#characters -= characters
    }
  }
}
