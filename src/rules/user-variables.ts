import type { Environment } from '@marcbachmann/cel-js'
import type { JsonObject } from '../contracts/json.ts'
import { put } from '../json/objects.ts'
import { type Readable, readableMap } from './readable.ts'

/**
 * What the conditions of segments see: one user, as kept from both sides. An unknown text is empty; what was never
 * said, done or answered is not there.
 */

class User {
  constructor(
    readonly id: string,
    readonly email: string,
    readonly uuid: string,
  ) {}
}

class Account {
  constructor(
    readonly id: string,
    readonly traits: Readable,
  ) {}
}

class Event {
  constructor(
    readonly count: bigint,
    readonly first: Date,
    readonly last: Date,
  ) {}
}

/** An answered, seen or dismissed survey. */
class Response {
  constructor(
    readonly uuid: string,
    readonly survey_uuid: string,
    readonly survey_name: string,
    readonly answers: Readable,
    readonly completed_at: string,
    readonly dismissed_at: string,
    readonly last_shown_at: string,
  ) {}
}

const MAP = 'map<string, dyn>'
const MOMENT = 'google.protobuf.Timestamp'

export function declareUser(environment: Environment): Environment {
  const text = 'string'
  return environment
    .registerType('User', { ctor: User, fields: { id: text, email: text, uuid: text } })
    .registerType('Account', { ctor: Account, fields: { id: text, traits: MAP } })
    .registerType('Event', { ctor: Event, fields: { count: 'int', first: MOMENT, last: MOMENT } })
    .registerType('Response', {
      ctor: Response,
      fields: {
        uuid: text,
        survey_uuid: text,
        survey_name: text,
        answers: MAP,
        completed_at: text,
        dismissed_at: text,
        last_shown_at: text,
      },
    })
    .registerVariable('user', 'User')
    .registerVariable('traits', MAP)
    .registerVariable('account', 'Account')
    .registerVariable('accounts', 'list<Account>')
    .registerVariable('events', 'map<string, Event>')
    .registerVariable('answers', MAP)
    .registerVariable('responses', 'list<Response>')
    .registerVariable('tenant', text)
}

/** What is kept of a user, read when it is first asked for. Moments are in ms since 1970, those of a response ISO 8601. */
export interface UserFacts {
  readonly tenant: string
  readonly userId: string
  readonly firstSeenAt: number
  readonly email: string | null
  readonly refinerUuid: string | null
  readonly traits: JsonObject
  /** The one that was seen last comes first. */
  accounts(): readonly { readonly id: string; readonly traits: JsonObject }[]
  events(): readonly {
    readonly name: string
    readonly count: number
    readonly firstAt: number
    readonly lastAt: number
  }[]
  /** The newest first. */
  responses(): readonly ResponseFacts[]
}

export interface ResponseFacts {
  readonly responseUuid: string
  readonly surveyUuid: string | null
  readonly surveyName: string | null
  readonly answers: JsonObject
  readonly completedAt: string | null
  readonly dismissedAt: string | null
  readonly lastShownAt: string | null
}

/** The variables of a user, each made when a condition first asks for it. */
export class UserVariables {
  #user: User | undefined
  #traits: Readable | undefined
  #accounts: readonly Account[] | undefined
  #events: ReadonlyMap<string, Event> | undefined
  #facts: readonly ResponseFacts[] | undefined
  #responses: readonly Response[] | undefined
  #answers: Readable | undefined
  #unread: { readonly error: unknown } | undefined

  constructor(private readonly from: UserFacts) {}

  /** What kept the facts from being read: no condition can tell anything then. */
  get unread(): { readonly error: unknown } | undefined {
    return this.#unread
  }

  get tenant(): string {
    return this.from.tenant
  }

  get user(): User {
    const { userId, email, refinerUuid } = this.from
    return (this.#user ??= new User(userId, email ?? '', refinerUuid ?? ''))
  }

  get traits(): Readable {
    return (this.#traits ??= readableMap(this.from.traits))
  }

  get account(): Account {
    return this.accounts[0] ?? NO_ACCOUNT
  }

  get accounts(): readonly Account[] {
    return (this.#accounts ??= this.#read(() => this.from.accounts()).map(
      ({ id, traits }) => new Account(id, readableMap(traits)),
    ))
  }

  get events(): ReadonlyMap<string, Event> {
    return (this.#events ??= new Map(
      this.#read(() => this.from.events()).map(({ name, count, firstAt, lastAt }) => [
        name,
        new Event(BigInt(count), new Date(firstAt), new Date(lastAt)),
      ]),
    ))
  }

  /** To each question the newest answer, whatever survey asked it. */
  get answers(): Readable {
    return (this.#answers ??= readableMap(latestAnswers(this.#kept)))
  }

  get responses(): readonly Response[] {
    return (this.#responses ??= this.#kept.map(
      (one) =>
        new Response(
          one.responseUuid,
          one.surveyUuid ?? '',
          one.surveyName ?? '',
          readableMap(one.answers),
          one.completedAt ?? '',
          one.dismissedAt ?? '',
          one.lastShownAt ?? '',
        ),
    ))
  }

  get #kept(): readonly ResponseFacts[] {
    return (this.#facts ??= this.#read(() => this.from.responses()))
  }

  #read<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      this.#unread ??= { error }
      throw error
    }
  }
}

const NO_ACCOUNT = new Account('', {})

function latestAnswers(newestFirst: readonly ResponseFacts[]): JsonObject {
  const latest: JsonObject = {}
  for (const { answers } of newestFirst) {
    for (const name in answers) {
      const answer = answers[name]!
      if (answer !== null && !Object.hasOwn(latest, name)) put(latest, name, answer)
    }
  }
  return latest
}
