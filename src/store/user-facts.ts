import { sql } from 'kysely'
import type { JsonObject } from '../contracts/json.ts'
import type { UserFacts } from '../rules/user-variables.ts'
import type { Store } from './open.ts'
import { rows } from './prepared.ts'
import { userRow } from './profiles.ts'

/** So much of one user is looked at, the newest first: what one message costs must not grow with all that came before. */
const MOST = { accounts: 100, events: 1000, responses: 200 } as const

/** What the conditions of segments see of a user; null when there is none. To be used up within one transaction. */
export function findUserFacts(store: Store, tenant: string, userId: string): UserFacts | null {
  const [user] = userRow(store, { tenant, userId })
  if (user === undefined) return null
  return {
    tenant,
    userId,
    firstSeenAt: user.firstSeenAt,
    email: user.email,
    refinerUuid: user.refinerUuid,
    traits: JSON.parse(user.traits) as JsonObject,
    accounts: () =>
      accountsLastSeen(store, { tenant, userId, limit: MOST.accounts }).map(({ id, traits }) => ({
        id,
        traits: JSON.parse(traits) as JsonObject,
      })),
    events: () => eventsLastSeen(store, { tenant, userId, limit: MOST.events }),
    responses: () =>
      responsesOf(store, { tenant, userId, limit: MOST.responses }).map(({ answers, ...response }) => ({
        ...response,
        answers: JSON.parse(answers) as JsonObject,
      })),
  }
}

const accountsLastSeen = rows<
  { tenant: string; userId: string; limit: number },
  { id: string; traits: string }
>((db, { tenant, userId, limit }) =>
  db
    .selectFrom('memberships')
    .innerJoin('accounts', (join) =>
      join
        .onRef('accounts.tenant', '=', 'memberships.tenant')
        .onRef('accounts.account_id', '=', 'memberships.account_id'),
    )
    .select(['memberships.account_id as id', 'accounts.traits'])
    .where('memberships.tenant', '=', tenant)
    .where('memberships.user_id', '=', userId)
    .orderBy('memberships.last_seen_at', 'desc')
    .orderBy('memberships.account_id')
    .limit(limit),
)

const eventsLastSeen = rows<
  { tenant: string; userId: string; limit: number },
  { name: string; count: number; firstAt: number; lastAt: number }
>((db, { tenant, userId, limit }) =>
  db
    .selectFrom('user_events')
    .select(['name', 'count', 'first_at as firstAt', 'last_at as lastAt'])
    .where('tenant', '=', tenant)
    .where('user_id', '=', userId)
    .orderBy('last_at', 'desc')
    .orderBy('name')
    .limit(limit),
)

const COLUMNS = [
  'response_uuid as responseUuid',
  'survey_uuid as surveyUuid',
  'survey_name as surveyName',
  'answers',
  'completed_at as completedAt',
  'dismissed_at as dismissedAt',
  'last_shown_at as lastShownAt',
] as const

const moment = sql<string>`coalesce(last_data_reception_at, completed_at, dismissed_at, last_shown_at, '')`

interface KeptResponse {
  readonly responseUuid: string
  readonly surveyUuid: string | null
  readonly surveyName: string | null
  readonly answers: string
  readonly completedAt: string | null
  readonly dismissedAt: string | null
  readonly lastShownAt: string | null
}

/** Those under the user's ID, and those from before it was known, of a contact that is this user's and nobody else's. */
const responsesOf = rows<{ tenant: string; userId: string; limit: number }, KeptResponse>(
  (db, { tenant, userId, limit }) =>
    db
      .selectFrom((eb) =>
        eb
          .selectFrom('responses')
          .select([...COLUMNS, moment.as('moment')])
          .where('tenant', '=', tenant)
          .where('user_id', '=', userId)
          .unionAll(
            eb
              .selectFrom('responses')
              .select([...COLUMNS, moment.as('moment')])
              .where('tenant', '=', tenant)
              .where('user_id', 'is', null)
              .where(
                'contact_uuid',
                'in',
                eb
                  .selectFrom('identities')
                  .select('value')
                  .where('tenant', '=', tenant)
                  .where('user_id', '=', userId)
                  .where('kind', '=', 'uuid')
                  .where('shared', '=', 0),
              ),
          )
          .as('found'),
      )
      .select([
        'responseUuid',
        'surveyUuid',
        'surveyName',
        'answers',
        'completedAt',
        'dismissedAt',
        'lastShownAt',
      ])
      .orderBy('moment', 'desc')
      .orderBy('responseUuid')
      .limit(limit),
)
