import type { Cancel, Clock } from '../contracts/clock.ts'
import type { Tenant } from '../contracts/configuration.ts'
import type { SegmentStatus } from '../contracts/segments.ts'
import type { Log } from '../observe/log.ts'
import type { Expression } from '../rules/expression.ts'
import { compileCondition } from '../rules/segment-conditions.ts'
import { isBusy, type Store } from '../store/open.ts'
import { reading } from '../store/reading.ts'
import {
  accountChanged,
  accountMembersAfter,
  dropChangedUser,
  membersAfter,
  moveChangedAccount,
  noteChangedUser,
  settleChangedAccount,
  type SegmentMember,
  usersChanged,
} from '../store/segment-members.ts'
import {
  adoptSegments,
  findSegment,
  noteScanned,
  removeRetired,
  retiredSegment,
  segmentsOf,
  setAside,
  usersAfter,
} from '../store/segments.ts'
import { isToldOf, type KeptSegment, type Looked, lookAtUser, writeFindings } from './look-at-user.ts'

/** So many users are looked at in one step, and one commit; fewer where that takes long, but one at least. */
const USERS_AT_ONCE = 100
const LONG_MS = 5
/** The pause after a step is so many times as long as it took: everything else comes first. */
const PAUSE_SHARE = 2
const PAUSE_MS = 10
/** What is found waits so long at least, so that what comes together is looked at once. */
const SOON_MS = 20
/** While requests flood in. */
const FLOOD_PAUSE_MS = 100
/** What changed without anybody saying so is found by looking anyway. */
const LOOK_EVERY_MS = 1000
const BUSY_PAUSE_MS = 1000
/** While more waits for a tenant, looking at everybody does not add to it. */
const MOST_WAITING = 10_000
/** A condition that fails is told of once in so long. */
const FAILURE_IS_NEWS_MS = 3_600_000

/** What of a tenant it needs. */
type TenantSegments = Pick<Tenant, 'name' | 'segments'>

export interface KeeperParts {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  readonly onError: (error: unknown) => void
  /** Says that there are new inbox items. */
  readonly wakeMapper: () => void
  readonly isFlooded: () => boolean
  /** How much waits to be sent for a tenant. */
  readonly waiting: (tenant: string) => number
  /** With how much waiting a tenant's sources are answered 503. */
  readonly mostPending: () => number
}

/**
 * Keeps the members of segments up to date: looks at the users of whom something changed, in the order in which it did,
 * and at everybody when a segment is new or its condition is another. What it finds is on the disk before anybody is
 * told.
 */
export class SegmentKeeper {
  #tenants: ReadonlyMap<string, TenantSegments> = new Map()
  /** By tenant, with the conditions compiled. */
  #segments = new Map<string, readonly KeptSegment[]>()
  readonly #compiled = new Map<string, Expression>()
  #failures = new Map<number, { readonly at: number; readonly reason: string }>()
  /** Whether the tables are still to be made those of the configuration. */
  #isOther = false
  #cancel: Cancel = () => {}
  #running = false
  /** When the next step is due, on the clock that is never set back. */
  #due = Infinity

  constructor(private readonly parts: KeeperParts) {}

  start(tenants: ReadonlyMap<string, TenantSegments>): void {
    if (this.#running) return
    this.#running = true
    this.replace(tenants)
  }

  stop(): void {
    this.#running = false
    this.#cancel()
    this.#due = Infinity
  }

  /** From now on keeps the segments of this configuration. */
  replace(tenants: ReadonlyMap<string, TenantSegments>): void {
    this.#tenants = tenants
    this.#isOther = true
    this.#schedule(0)
  }

  /** Says that something was kept of somebody. */
  wake(): void {
    if (this.#segments.size > 0) this.#schedule(SOON_MS)
  }

  /** The members of a segment behind that user ID, by their IDs; null where there is no such segment. */
  members(tenant: string, name: string, after: string, limit: number): readonly SegmentMember[] | null {
    const segment = this.#segments.get(tenant)?.find(({ row }) => row.name === name)
    return segment === undefined
      ? null
      : membersAfter(this.parts.store, { segmentId: segment.row.id, after, limit })
  }

  /** The segments in the order of the configuration. */
  status(): SegmentStatus[] {
    return [...this.#tenants.values()].flatMap(({ name: tenant, segments }) => {
      if (segments.length === 0) return []
      const kept = new Map(segmentsOf(this.parts.store, { tenant }).map((row) => [row.name, row]))
      return segments.flatMap((definition) => {
        const row = kept.get(definition.name)
        if (row === undefined) return []
        const { members, scannedUntil, id } = row
        const lastFailure = this.#failures.get(id) ?? null
        return [{ ...definition, tenant, members, isComplete: scannedUntil === null, lastFailure }]
      })
    })
  }

  #adopt(): boolean {
    if (!this.#isOther) return false
    const { store, clock } = this.parts
    store.transaction(() => {
      setAside(store, new Set(this.#tenants.keys()))
      for (const { name, segments } of this.#tenants.values()) {
        adoptSegments(store, name, segments, clock.now())
      }
    })
    this.#isOther = false
    this.#failures.clear()
    this.#read()
    return true
  }

  #read(): void {
    this.#segments = new Map()
    for (const [tenant, { segments }] of this.#tenants) if (segments.length > 0) this.#readOf(tenant)
  }

  #readOf(tenant: string): void {
    const kept = segmentsOf(this.parts.store, { tenant })
    this.#segments.set(
      tenant,
      kept.map((row) => ({ row, condition: this.#conditionOf(row.condition) })),
    )
  }

  #conditionOf(text: string): Expression {
    let condition = this.#compiled.get(text)
    if (condition === undefined) {
      condition = compileCondition(text)
      this.#compiled.set(text, condition)
    }
    return condition
  }

  #schedule(ms: number): void {
    const { clock } = this.parts
    const due = clock.elapsed() + ms
    if (!this.#running || due >= this.#due) return
    this.#cancel()
    this.#due = due
    this.#cancel = clock.after(ms, () => this.#turn())
  }

  #turn(): void {
    const { clock, isFlooded, onError } = this.parts
    this.#due = Infinity
    const began = clock.elapsed()
    let pause = LOOK_EVERY_MS
    try {
      if (this.#step()) pause = isFlooded() ? FLOOD_PAUSE_MS : PAUSE_MS
    } catch (error) {
      pause = BUSY_PAUSE_MS
      // Somebody holds the file's lock: that passes.
      if (!isBusy(error)) onError(error)
    }
    this.#schedule(Math.max(pause, PAUSE_SHARE * (clock.elapsed() - began)))
  }

  /** Does one step, some of everything, so that nothing waits for all of another; answers whether there may be more to do. */
  #step(): boolean {
    if (this.#adopt()) return true
    const done = [this.#passOnAccounts(), this.#lookAtChanged(), this.#scan() || this.#removeRetired()]
    return done.includes(true)
  }

  /** Passes on to members that something of their account changed. */
  #passOnAccounts(): boolean {
    const { store } = this.parts
    if (accountChanged(store, {}).length === 0) return false
    store.relaxedTransaction(() => {
      for (let left = USERS_AT_ONCE; left > 0;) left -= Math.max(1, this.#passOnAccount(left))
    })
    return true
  }

  /** Answers to how many. */
  #passOnAccount(limit: number): number {
    const { store } = this.parts
    const [account] = accountChanged(store, {})
    if (account === undefined) return limit
    const { tenant, accountId, doneUntil } = account
    const members = accountMembersAfter(store, { tenant, accountId, after: doneUntil, limit })
    for (const { userId } of members) noteChangedUser(store, { tenant, userId })
    if (members.length < limit) settleChangedAccount(store, account)
    else moveChangedAccount(store, { place: account.place, until: members.at(-1)!.userId })
    return members.length
  }

  #lookAtChanged(): boolean {
    const { store } = this.parts
    const changed = usersChanged(store, { limit: USERS_AT_ONCE })
    if (changed.length === 0) return false
    const looked = this.#lookAtSome(changed, ({ tenant, userId }) =>
      this.#look(this.#segments.get(tenant) ?? [], { tenant, userId, retells: false }),
    )
    this.#write(looked, () => {
      for (const { place } of changed.slice(0, looked.length)) dropChangedUser(store, { place })
    })
    return true
  }

  /** Looks at the next of everybody, for one segment whose members are not complete. */
  #scan(): boolean {
    for (const [tenant, segments] of this.#segments) {
      const open = segments.filter(({ row }) => row.scannedUntil !== null)
      // Of those that tell nobody nothing has to wait.
      const quiet = open.find((one) => !isTelling(one))
      const segment = quiet ?? (this.#isHeldBack(tenant) ? undefined : open[0])
      if (segment === undefined) continue
      this.#scanSome(tenant, segment)
      return true
    }
    return false
  }

  #isHeldBack(tenant: string): boolean {
    const { waiting, mostPending } = this.parts
    return waiting(tenant) > Math.min(MOST_WAITING, mostPending() / 2)
  }

  #scanSome(tenant: string, segment: KeptSegment): void {
    const { store, log } = this.parts
    const { row } = segment
    const users = usersAfter(store, { tenant, after: row.scannedUntil!, limit: USERS_AT_ONCE })
    const looked = this.#lookAtSome(users, ({ userId }) =>
      this.#look([segment], { tenant, userId, retells: true }),
    )
    const isLast = looked.length === users.length && users.length < USERS_AT_ONCE
    this.#write(looked, () => noteScanned(store, row.id, isLast ? null : users[looked.length - 1]!.userId))
    this.#readOf(tenant)
    if (!isLast) return
    log.info(
      { tenant, segment: row.name, members: findSegment(store, row.id)?.members ?? 0 },
      'segment is complete',
    )
  }

  /** Looks at the first of them, for as long as a step may take. */
  #lookAtSome<User>(users: readonly User[], look: (user: User) => Looked): Looked[] {
    const { store, clock } = this.parts
    const until = clock.elapsed() + LONG_MS
    return reading(store, () => {
      const looked: Looked[] = []
      for (const user of users) {
        looked.push(look(user))
        if (clock.elapsed() >= until) break
      }
      return looked
    })
  }

  #removeRetired(): boolean {
    const { store } = this.parts
    const id = retiredSegment(store)
    if (id === null) return false
    store.relaxedTransaction(() => removeRetired(store, id, USERS_AT_ONCE))
    return true
  }

  #look(segments: readonly KeptSegment[], of: { tenant: string; userId: string; retells: boolean }): Looked {
    const looked = lookAtUser(this.parts.store, segments, of)
    for (const [id, reason] of looked.failures) this.#noteFailure(of.tenant, segments, id, reason)
    return looked
  }

  /** In one commit with `done`; where somebody is told of it, it is on the disk before that. */
  #write(looked: readonly Looked[], done: () => void): void {
    const { store, clock, wakeMapper } = this.parts
    const findings = looked.flatMap((one) => one.findings)
    const isTold = findings.some(({ told }) => isToldOf(told))
    const write = () => {
      writeFindings(store, findings, clock.now())
      done()
    }
    if (!isTold) return store.relaxedTransaction(write)
    store.transaction(write)
    wakeMapper()
  }

  #noteFailure(tenant: string, segments: readonly KeptSegment[], id: number, reason: string): void {
    const { clock, log } = this.parts
    const at = clock.now()
    const before = this.#failures.get(id)
    if (before === undefined || at - before.at >= FAILURE_IS_NEWS_MS) {
      const segment = segments.find(({ row }) => row.id === id)?.row.name ?? null
      log.warn({ tenant, segment, fault: reason }, 'the condition of a segment failed: it does not hold')
      this.#failures.set(id, { at, reason })
    }
  }
}

function isTelling({ row: { refinerSegment, trait, enteredEvent, leftEvent } }: KeptSegment): boolean {
  return [refinerSegment, trait, enteredEvent, leftEvent].some((one) => one !== null)
}
