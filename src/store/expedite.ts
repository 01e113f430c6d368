import { sql } from 'kysely'
import type { Destination } from '../contracts/delivery.ts'
import { change } from './prepared.ts'

/** Makes what waits for a moment due now: the settings that held it back are not in force any more. */
export const makeDue = change<{ tenant: string; destination: Destination; now: number }>(
  (db, { tenant, destination, now }) =>
    db
      .updateTable('outbox')
      .set({ not_before: now })
      .where('tenant', '=', tenant)
      .where('destination', '=', destination)
      .where('state', '=', 'pending')
      .where('head', '=', 1)
      .where('not_before', '>', now),
)

/** Makes what failed before and waits for its next attempt due now: the cause is gone, or may be. */
export const makeFailedDue = change<{ tenant: string; destination: Destination; now: number }>(
  (db, { tenant, destination, now }) =>
    db
      .updateTable('outbox')
      .set({ not_before: now })
      .where('tenant', '=', tenant)
      .where('destination', '=', destination)
      .where('state', '=', 'pending')
      .where('head', '=', 1)
      .where('not_before', '>', now)
      .where('attempts', '>', 0),
)

/** Makes the one that would be due next due now: it is to find out whether the destination is back. */
export const makeNextDue = change<{ tenant: string; destination: Destination; now: number }>(
  (db, { tenant, destination, now }) =>
    db
      .updateTable('outbox')
      .set({ not_before: now })
      .where('id', '=', (eb) =>
        eb
          .selectFrom('outbox as next')
          .select('next.id')
          .where('next.tenant', '=', tenant)
          .where('next.destination', '=', destination)
          .where('next.state', '=', 'pending')
          .where('next.head', '=', 1)
          .orderBy('next.not_before')
          .orderBy('next.id')
          .limit(sql<number>`1`),
      )
      .where('state', '=', 'pending')
      .where('not_before', '>', now),
)
