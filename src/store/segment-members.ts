import { sql } from 'kysely'
import type { Store } from './open.ts'
import { change, rows } from './prepared.ts'

/** Whether a user is in a segment. Who never was in it has no row. */
export interface MemberRow {
  readonly segmentId: number
  readonly member: 0 | 1
  readonly changes: number
}

/** The segments that a user is or once was in. */
export const membershipsOfUser = rows<{ tenant: string; userId: string }, MemberRow>(
  (db, { tenant, userId }) =>
    db
      .selectFrom('segment_members')
      .select(['segment_id as segmentId', 'member', 'changes'])
      .where('tenant', '=', tenant)
      .where('user_id', '=', userId),
)

/** Notes that the user entered or left, which it did so many times by now. */
export const setMember = change<{
  segmentId: number
  tenant: string
  userId: string
  member: 0 | 1
  changes: number
  now: number
}>((db, { segmentId, tenant, userId, member, changes, now }) =>
  db
    .insertInto('segment_members')
    .values({ segment_id: segmentId, tenant, user_id: userId, member, changes, changed_at: now })
    .onConflict((conflict) =>
      conflict.columns(['segment_id', 'user_id']).doUpdateSet({ member, changes, changed_at: now }),
    ),
)

/** A member as it is listed. */
export interface SegmentMember {
  readonly userId: string
  readonly email: string | null
  /** When the user entered, in ms since 1970. */
  readonly since: number
}

/** The members behind that user ID, by their IDs. */
export const membersAfter = rows<{ segmentId: number; after: string; limit: number }, SegmentMember>(
  (db, { segmentId, after, limit }) =>
    db
      .selectFrom('segment_members as members')
      .innerJoin('users', (join) =>
        join.onRef('users.tenant', '=', 'members.tenant').onRef('users.user_id', '=', 'members.user_id'),
      )
      .select(['members.user_id as userId', 'users.email', 'members.changed_at as since'])
      .where('members.segment_id', '=', segmentId)
      .where('members.member', '=', 1)
      .where('members.user_id', '>', after)
      .orderBy('members.user_id')
      .limit(limit),
)

/** A segment that a user is in, or was in before. */
export interface UserSegment {
  readonly name: string
  readonly member: 0 | 1
  /** When the user entered or left it last, in ms since 1970. */
  readonly changedAt: number
}

/** The segments that a user is in, and those that it was in, by their names. */
export const segmentsOfUser = rows<
  { tenant: string; userId: string; after: string; limit: number },
  UserSegment
>((db, { tenant, userId, after, limit }) =>
  db
    .selectFrom('segment_members as members')
    .innerJoin('segments', 'segments.id', 'members.segment_id')
    .select(['segments.name', 'members.member', 'members.changed_at as changedAt'])
    .where('members.tenant', '=', tenant)
    .where('members.user_id', '=', userId)
    .where('segments.retired_at', 'is', null)
    .where('segments.name', '>', after)
    .orderBy('segments.name')
    .limit(limit),
)

/** A user of whom something changed. */
export interface ChangedUser {
  readonly place: number
  readonly tenant: string
  readonly userId: string
}

/** Those who have waited longest. */
export const usersChanged = rows<{ limit: number }, ChangedUser>((db, { limit }) =>
  db
    .selectFrom('segment_users_changed')
    .select(['place', 'tenant', 'user_id as userId'])
    .orderBy('place')
    .limit(limit),
)

/** To be called within a transaction in which the user was looked at. */
export const dropChangedUser = change<{ place: number }>((db, { place }) =>
  db.deleteFrom('segment_users_changed').where('place', '=', place),
)

export interface ChangedAccount {
  readonly place: number
  readonly tenant: string
  readonly accountId: string
  readonly doneUntil: string
  /** It changed anew while some of its members had been gone through. */
  readonly again: 0 | 1
}

/** The one that has waited longest. */
export const accountChanged = rows<{}, ChangedAccount>((db) =>
  db
    .selectFrom('segment_accounts_changed')
    .select(['place', 'tenant', 'account_id as accountId', 'done_until as doneUntil', 'again'])
    .orderBy('place')
    .limit(sql<number>`1`),
)

/** The members of an account behind that user ID, by their IDs. */
export const accountMembersAfter = rows<
  { tenant: string; accountId: string; after: string; limit: number },
  { userId: string }
>((db, { tenant, accountId, after, limit }) =>
  db
    .selectFrom('memberships')
    .select('user_id as userId')
    .where('tenant', '=', tenant)
    .where('account_id', '=', accountId)
    .where('user_id', '>', after)
    .orderBy('user_id')
    .limit(limit),
)

export const moveChangedAccount = change<{ place: number; until: string }>((db, { place, until }) =>
  db.updateTable('segment_accounts_changed').set({ done_until: until }).where('place', '=', place),
)

/** All its members have been gone through: it goes, or to the end where it is to be gone through again. */
export function settleChangedAccount(
  store: Store,
  { place, tenant, accountId, again }: Omit<ChangedAccount, 'doneUntil'>,
): void {
  dropChangedAccount(store, { place })
  if (again === 1) noteChangedAccount(store, { tenant, accountId })
}

const dropChangedAccount = change<{ place: number }>((db, { place }) =>
  db.deleteFrom('segment_accounts_changed').where('place', '=', place),
)

const noteChangedAccount = change<{ tenant: string; accountId: string }>((db, { tenant, accountId }) =>
  db
    .insertInto('segment_accounts_changed')
    .values({ tenant, account_id: accountId, done_until: '', again: 0 }),
)

/** Notes that a user is to be looked at. */
export const noteChangedUser = change<{ tenant: string; userId: string }>((db, { tenant, userId }) =>
  db
    .insertInto('segment_users_changed')
    .values({ tenant, user_id: userId })
    .onConflict((conflict) => conflict.columns(['tenant', 'user_id']).doNothing()),
)
