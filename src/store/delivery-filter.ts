import { sql } from 'kysely'
import type { Destination } from '../contracts/delivery.ts'
import type { Store } from './open.ts'
import { rows } from './prepared.ts'

/** Which deliveries are meant; null where all are. */
export interface DeliveryConditions {
  readonly tenant: string | null
  readonly destination: Destination | null
  /** Whose they are: the user ID, or what stands for it. */
  readonly user: string | null
  /** The name or the uuid of the survey that the input is about. */
  readonly survey: string | null
  /** A part of the reason. */
  readonly error: string | null
  /** Made at this moment or later, in ms since 1970. */
  readonly since: number | null
  /** Made before this moment, in ms since 1970. */
  readonly until: number | null
}

/** The arguments of a query that `fits` is part of. */
export interface ConditionArguments extends Record<string, string | number | null> {
  readonly tenant: string | null
  readonly destination: Destination | null
  readonly user: string | null
  readonly survey: string | null
  readonly error: string | null
  readonly since: number | null
  readonly until: number | null
}

/** The part of a `where` on the outbox that holds the conditions; what is cheap to look at comes first. */
export function fits({ tenant, destination, user, survey, error, since, until }: ConditionArguments) {
  // SQLite throws at JSON that is nested more than it can read.
  const input = sql`(select iif(json_valid(payload), payload, '{}') from inbox where inbox.id = outbox.inbox_id)`
  // What could not be mapped has no user of its own: the input names them, as Refiner or Segment words it.
  return sql<boolean>`(${tenant} is null or tenant = ${tenant})
    and (${destination} is null or destination = ${destination})
    and (${since} is null or created_at >= ${since})
    and (${until} is null or created_at < ${until})
    and (${error} is null or instr(reason, ${error}) > 0)
    and (${user} is null or user_key = ${user}
      or (user_key = '' and ${user} in (${input} ->> '$.remote_id', ${input} ->> '$.userId')))
    and (${survey} is null or ${survey} in (${input} ->> '$.form.uuid', ${input} ->> '$.form.name'))`
}

/**
 * Between which IDs deliveries made in that time are, both included. IDs grow with the moments: 20 looks into the table
 * tell. Where the clock was set back, some may stand outside.
 */
export function idsOfTime(
  store: Store,
  { since, until }: Pick<DeliveryConditions, 'since' | 'until'>,
): { readonly from: number; readonly to: number } {
  const newest = newestId(store)
  return {
    from: since === null ? 0 : firstMadeAt(store, since, newest),
    to: until === null ? newest : Math.min(firstMadeAt(store, until, newest), newest),
  }
}

/** The lowest ID from which on deliveries were made at that moment or later. */
function firstMadeAt(store: Store, moment: number, newest: number): number {
  let low = 0
  let high = newest + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const made = madeFrom(store, { id: middle })[0]
    if (made === undefined || made.createdAt >= moment) high = middle
    else low = made.id + 1
  }
  return low
}

const madeFrom = rows<{ id: number }, { id: number; createdAt: number }>((db, { id }) =>
  db
    .selectFrom('outbox')
    .select(['id', 'created_at as createdAt'])
    .where('id', '>=', id)
    .orderBy('id')
    .limit(sql<number>`1`),
)

/** The highest ID that a delivery has; 0 without any. */
export function newestId(store: Store): number {
  return highest(store, {})[0]?.id ?? 0
}

const highest = rows<{}, { id: number }>((db) =>
  db
    .selectFrom('outbox')
    .select('id')
    .orderBy('id', 'desc')
    .limit(sql<number>`1`),
)
