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

/** The variables of an interaction, each made when an expression first asks for it. */
export class InteractionVariables {
  #survey: Survey | undefined
  #response: Response | undefined
  #answers: Readable | undefined
  #user: User | undefined
  #account: Account | undefined
  #segments: readonly Segment[] | undefined
  #occurrence: Occurrence | undefined
  #body: Readable | undefined

  constructor(
    private readonly from: Interaction,
    readonly tenant: string,
  ) {}

  get survey(): Survey {
    const { uuid, name } = this.from.survey
    return (this.#survey ??= new Survey(uuid ?? '', name ?? ''))
  }

  get response(): Response {
    return (this.#response ??= responseOf(this.from))
  }

  get answers(): Readable {
    return (this.#answers ??= readableMap(this.from.answers))
  }

  get user(): User {
    return (this.#user ??= userOf(this.from))
  }

  get account(): Account {
    const { id, attributes } = this.from.account
    return (this.#account ??= new Account(id ?? '', readableMap(attributes)))
  }

  get segments(): readonly Segment[] {
    return (this.#segments ??= this.from.segments.map(
      ({ uuid, name }) => new Segment(uuid ?? '', name ?? ''),
    ))
  }

  get interaction(): Occurrence {
    return (this.#occurrence ??= new Occurrence(this.from.kind, this.from.occurredAt))
  }

  get body(): Readable {
    return (this.#body ??= readableMap(this.from.body))
  }
}

function userOf({ user: { uuid, id, email, attributes } }: Interaction): User {
  return new User(uuid ?? '', id ?? '', email ?? '', readableMap(attributes))
}

function responseOf({ response: { uuid, tags, timestamps: at } }: Interaction): Response {
  return new Response(
    uuid ?? '',
    tags ?? [],
    at.first_shown_at ?? '',
    at.last_shown_at ?? '',
    at.first_data_reception_at ?? '',
    at.last_data_reception_at ?? '',
    at.completed_at ?? '',
    at.dismissed_at ?? '',
    at.received_at ?? '',
  )
}
