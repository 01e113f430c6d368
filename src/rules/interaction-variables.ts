import type { Environment } from '@marcbachmann/cel-js'
import type { Interaction, ResponseTimestamp } from '../contracts/interaction.ts'
import { type Readable, readableMap } from './readable.ts'

/**
 * What expressions of `to_segment.mapping` see. An unknown text is empty, so that a text is always one; an answer
 * that was not given is not there.
 */

class Survey {
  constructor(
    readonly uuid: string,
    readonly name: string,
  ) {}
}

class Response {
  constructor(
    readonly uuid: string,
    readonly tags: readonly unknown[],
    readonly first_shown_at: string,
    readonly last_shown_at: string,
    readonly first_data_reception_at: string,
    readonly last_data_reception_at: string,
    readonly completed_at: string,
    readonly dismissed_at: string,
    readonly received_at: string,
  ) {}
}

class User {
  constructor(
    readonly uuid: string,
    readonly id: string,
    readonly email: string,
    readonly attributes: Readable,
  ) {}
}

class Account {
  constructor(
    readonly id: string,
    readonly attributes: Readable,
  ) {}
}

class Segment {
  constructor(
    readonly uuid: string,
    readonly name: string,
  ) {}
}

/** The interaction itself, apart from what it is about. */
class Occurrence {
  constructor(
    readonly kind: string,
    readonly occurred_at: string,
  ) {}
}

const TEXTS = {
  first_shown_at: 'string',
  last_shown_at: 'string',
  first_data_reception_at: 'string',
  last_data_reception_at: 'string',
  completed_at: 'string',
  dismissed_at: 'string',
  received_at: 'string',
} as const satisfies Record<ResponseTimestamp, string>

const ATTRIBUTES = 'map<string, dyn>'

export interface InteractionVariables {
  readonly survey: object
  readonly response: object
  readonly answers: Readable
  readonly user: object
  readonly account: object
  readonly segments: readonly object[]
  readonly interaction: object
  readonly tenant: string
  readonly body: Readable
}

export function declareInteraction(environment: Environment): Environment {
  return environment
    .registerType('Survey', { ctor: Survey, fields: { uuid: 'string', name: 'string' } })
    .registerType('Response', { ctor: Response, fields: { uuid: 'string', tags: 'list<dyn>', ...TEXTS } })
    .registerType('User', {
      ctor: User,
      fields: { uuid: 'string', id: 'string', email: 'string', attributes: ATTRIBUTES },
    })
    .registerType('Account', { ctor: Account, fields: { id: 'string', attributes: ATTRIBUTES } })
    .registerType('Segment', { ctor: Segment, fields: { uuid: 'string', name: 'string' } })
    .registerType('Interaction', { ctor: Occurrence, fields: { kind: 'string', occurred_at: 'string' } })
    .registerVariable('survey', 'Survey')
    .registerVariable('response', 'Response')
    .registerVariable('answers', ATTRIBUTES)
    .registerVariable('user', 'User')
    .registerVariable('account', 'Account')
    .registerVariable('segments', 'list<Segment>')
    .registerVariable('interaction', 'Interaction')
    .registerVariable('tenant', 'string')
    .registerVariable('body', ATTRIBUTES)
}

export function interactionVariables(interaction: Interaction, tenant: string): InteractionVariables {
  const { survey, response, user, account } = interaction
  const at = response.timestamps
  return {
    survey: new Survey(survey.uuid ?? '', survey.name ?? ''),
    response: new Response(
      response.uuid ?? '',
      response.tags ?? [],
      at.first_shown_at ?? '',
      at.last_shown_at ?? '',
      at.first_data_reception_at ?? '',
      at.last_data_reception_at ?? '',
      at.completed_at ?? '',
      at.dismissed_at ?? '',
      at.received_at ?? '',
    ),
    answers: readableMap(interaction.answers),
    user: new User(user.uuid ?? '', user.id ?? '', user.email ?? '', readableMap(user.attributes)),
    account: new Account(account.id ?? '', readableMap(account.attributes)),
    segments: interaction.segments.map(({ uuid, name }) => new Segment(uuid ?? '', name ?? '')),
    interaction: new Occurrence(interaction.kind, interaction.occurredAt),
    tenant,
    body: readableMap(interaction.body),
  }
}
