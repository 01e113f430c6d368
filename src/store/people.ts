import { sql } from 'kysely'
import { change, rows } from './prepared.ts'

/**
 * Makes sure that the user exists and was seen at `now`; what is null leaves what was known. Answers what is known of
 * its traits.
 */
export const touchUser = rows<
  {
    tenant: string
    userId: string
    email: string | null
    refinerUuid: string | null
    now: number
  },
  { traits: string }
>((db, { tenant, userId, email, refinerUuid, now }) =>
  db
    .insertInto('users')
    .values({
      tenant,
      user_id: userId,
      email,
      refiner_uuid: refinerUuid,
      traits: '{}',
      first_seen_at: now,
      last_seen_at: now,
    })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'user_id']).doUpdateSet({
        email: sql`coalesce(excluded.email, users.email)`,
        refiner_uuid: sql`coalesce(excluded.refiner_uuid, users.refiner_uuid)`,
        last_seen_at: sql`max(users.last_seen_at, excluded.last_seen_at)`,
      }),
    )
    .returning('traits'),
)

export const setUserTraits = change<{ tenant: string; userId: string; traits: string }>(
  (db, { tenant, userId, traits }) =>
    db.updateTable('users').set({ traits }).where('tenant', '=', tenant).where('user_id', '=', userId),
)

/** Makes sure that the account exists and was seen at `now`. Answers what is known of its traits. */
export const touchAccount = rows<{ tenant: string; accountId: string; now: number }, { traits: string }>(
  (db, { tenant, accountId, now }) =>
    db
      .insertInto('accounts')
      .values({ tenant, account_id: accountId, traits: '{}', first_seen_at: now, last_seen_at: now })
      .onConflict((conflict) =>
        conflict
          .columns(['tenant', 'account_id'])
          .doUpdateSet({ last_seen_at: sql`max(accounts.last_seen_at, excluded.last_seen_at)` }),
      )
      .returning('traits'),
)

export const setAccountTraits = change<{ tenant: string; accountId: string; traits: string }>(
  (db, { tenant, accountId, traits }) =>
    db
      .updateTable('accounts')
      .set({ traits })
      .where('tenant', '=', tenant)
      .where('account_id', '=', accountId),
)

/** Records that the user belongs to the account. Both must exist. */
export const touchMembership = change<{ tenant: string; userId: string; accountId: string; now: number }>(
  (db, { tenant, userId, accountId, now }) =>
    db
      .insertInto('memberships')
      .values({ tenant, user_id: userId, account_id: accountId, first_seen_at: now, last_seen_at: now })
      .onConflict((conflict) =>
        conflict
          .columns(['tenant', 'user_id', 'account_id'])
          .doUpdateSet({ last_seen_at: sql`max(memberships.last_seen_at, excluded.last_seen_at)` }),
      ),
)

/** Counts an event of the user, which happened at `at`. The user must exist. */
export const countUserEvent = change<{ tenant: string; userId: string; name: string; at: number }>(
  (db, { tenant, userId, name, at }) =>
    db
      .insertInto('user_events')
      .values({ tenant, user_id: userId, name, count: 1, first_at: at, last_at: at })
      .onConflict((conflict) =>
        conflict.columns(['tenant', 'user_id', 'name']).doUpdateSet({
          count: sql`user_events.count + 1`,
          first_at: sql`min(user_events.first_at, excluded.first_at)`,
          last_at: sql`max(user_events.last_at, excluded.last_at)`,
        }),
      ),
)

export interface ResponseRow extends Record<string, string | number | null> {
  readonly tenant: string
  readonly responseUuid: string
  readonly surveyUuid: string | null
  readonly surveyName: string | null
  readonly userId: string | null
  readonly contactUuid: string | null
  readonly answers: string
  readonly tags: string | null
  readonly firstShownAt: string | null
  readonly lastShownAt: string | null
  readonly lastDataReceptionAt: string | null
  readonly completedAt: string | null
  readonly dismissedAt: string | null
  readonly now: number
}

/**
 * Keeps a response, or brings the one that is kept up to date. Reports can arrive late: the answers are replaced only
 * by ones that Refiner received at the same time or later.
 */
export const keepResponse = change<ResponseRow>((db, response) =>
  db
    .insertInto('responses')
    .values({
      tenant: response.tenant,
      response_uuid: response.responseUuid,
      survey_uuid: response.surveyUuid,
      survey_name: response.surveyName,
      user_id: response.userId,
      contact_uuid: response.contactUuid,
      answers: response.answers,
      tags: response.tags,
      first_shown_at: response.firstShownAt,
      last_shown_at: response.lastShownAt,
      last_data_reception_at: response.lastDataReceptionAt,
      completed_at: response.completedAt,
      dismissed_at: response.dismissedAt,
      updated_at: response.now,
    })
    .onConflict((conflict) =>
      conflict.columns(['tenant', 'response_uuid']).doUpdateSet({
        survey_uuid: sql`coalesce(excluded.survey_uuid, responses.survey_uuid)`,
        survey_name: sql`coalesce(excluded.survey_name, responses.survey_name)`,
        user_id: sql`coalesce(excluded.user_id, responses.user_id)`,
        contact_uuid: sql`coalesce(excluded.contact_uuid, responses.contact_uuid)`,
        answers: sql`iif(coalesce(excluded.last_data_reception_at, '') >= coalesce(responses.last_data_reception_at, ''),
          excluded.answers, responses.answers)`,
        tags: sql`coalesce(excluded.tags, responses.tags)`,
        first_shown_at: sql`coalesce(excluded.first_shown_at, responses.first_shown_at)`,
        last_shown_at: sql`nullif(max(coalesce(excluded.last_shown_at, ''), coalesce(responses.last_shown_at, '')), '')`,
        last_data_reception_at: sql`nullif(max(coalesce(excluded.last_data_reception_at, ''),
          coalesce(responses.last_data_reception_at, '')), '')`,
        completed_at: sql`coalesce(excluded.completed_at, responses.completed_at)`,
        dismissed_at: sql`coalesce(excluded.dismissed_at, responses.dismissed_at)`,
        updated_at: sql`excluded.updated_at`,
      }),
    ),
)
