import { TENANT } from './configuration.ts'
import type { Kept } from './listed.ts'

/** What the demo plays. All people, companies and surveys are invented. */

/** One request to the daemon, and what it makes arrive at the other side. */
export interface Step {
  readonly title: string
  readonly from: 'refiner' | 'segment'
  /** On the daemon. */
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
  /** The daemon's answer. */
  readonly status: 200 | 501
  /** The calls that arrive: types of message at Segment, paths at Refiner. */
  readonly arrives: readonly string[]
}

interface Person {
  readonly id: string
  readonly email: string
  readonly name: string
}

interface Account {
  readonly id: string
  readonly name: string
  readonly attributes: Readonly<Record<string, unknown>>
}

interface Survey {
  readonly uuid: string
  readonly name: string
}

type MessageBody = Step['body'] & { readonly type: string }

interface SampleInteraction {
  readonly event: 'Completed Survey' | 'Saw Survey' | 'Dismissed Survey'
  readonly person: Person
  readonly account: Account | null
  readonly survey: Survey
  readonly answers: Readonly<Record<string, string | readonly string[]>>
}

const ADA: Person = { id: 'user-1042', email: 'ada@example.com', name: 'Ada' }
const GRACE: Person = { id: 'user-2077', email: 'grace@example.com', name: 'Grace' }
const KATHERINE: Person = { id: 'user-3140', email: 'katherine@example.com', name: 'Katherine' }
const EDSGER: Person = { id: 'user-4096', email: 'edsger@example.com', name: 'Edsger' }

const ENGINES: Account = {
  id: 'account-7',
  name: 'Analytical Engines',
  attributes: { plan: 'pro', seats: '12', region: null },
}

const NPS: Survey = { uuid: '6a1f0c52-9d1b-4c0e-8f57-0d8f4a1c2e01', name: 'NPS' }
const ONBOARDING: Survey = { uuid: '6a1f0c52-9d1b-4c0e-8f57-0d8f4a1c2e02', name: 'Onboarding' }

/** From Refiner: each must reach Segment. Timestamps are taken from `now`. */
export function surveySteps(now: Date): readonly Step[] {
  const webhook = (title: string, sample: SampleInteraction, arrives: readonly string[]): Step => ({
    title,
    from: 'refiner',
    path: `/v1/refiner/${TENANT}`,
    body: webhookBody(sample, now),
    status: 200,
    arrives,
  })
  return [
    webhook(
      'Ada completes an NPS survey; she belongs to an account',
      {
        event: 'Completed Survey',
        person: ADA,
        account: ENGINES,
        survey: NPS,
        answers: { nps: '9', what_do_you_like: 'The weekly report' },
      },
      ['identify', 'group', 'track'],
    ),
    webhook(
      'Grace completes an onboarding survey; she has no account',
      {
        event: 'Completed Survey',
        person: GRACE,
        account: null,
        survey: ONBOARDING,
        answers: { setup_was: 'Very easy', tools_you_use: ['SQL', 'Spreadsheets'] },
      },
      ['identify', 'track'],
    ),
    webhook(
      'Katherine sees a survey',
      { event: 'Saw Survey', person: KATHERINE, account: null, survey: NPS, answers: {} },
      ['track'],
    ),
    webhook(
      'Edsger dismisses one',
      { event: 'Dismissed Survey', person: EDSGER, account: null, survey: NPS, answers: {} },
      ['track'],
    ),
  ]
}

/** From Segment: users, accounts and events for Refiner, and a page view that Refiner has no use for. */
export function messageSteps(now: Date): readonly Step[] {
  const message = (
    title: string,
    body: MessageBody,
    status: 200 | 501,
    arrives: readonly string[],
  ): Step => ({
    title,
    from: 'segment',
    path: '/v1/segment',
    body: { messageId: `demo-${body.type}`, userId: ADA.id, ...body, timestamp: now.toISOString() },
    status,
    arrives,
  })
  const traits = { email: ADA.email, plan: 'pro', address: { city: 'London' } }
  const page = { type: 'page', name: 'Pricing', properties: { path: '/pricing' } }
  return [
    message('Ada upgrades, and your app identifies her', { type: 'identify', traits }, 200, [
      '/v1/identify-user',
    ]),
    message(
      'Your app says which account she belongs to',
      { type: 'group', groupId: ENGINES.id, traits: { name: ENGINES.name, seats: 12 } },
      200,
      ['/v1/identify-user'],
    ),
    message('She exports a report', { type: 'track', event: 'Report Exported' }, 200, ['/v1/track-event']),
    message('She looks at a page; Refiner takes no page views, and Segment is told so', page, 501, []),
  ]
}

/** What Refiner's API lists of the months before `now`: who was asked then, and what they said. */
export function past(now: Date): Kept {
  const people = [ADA, GRACE, KATHERINE, EDSGER]
  const responses = PAST_ANSWERS.map(([nps, what_do_you_like], index) => {
    const person = people[index % people.length]!
    const at = new Date(now.getTime() - (index + 1) * 9 * DAY_MS)
    const survey = { uuid: Bun.randomUUIDv5(`pulse ${index}`, 'url'), name: 'Pulse' }
    const account = person === ADA ? ENGINES : null
    const answers = { nps, what_do_you_like }
    const {
      response,
      form,
      triggered_event: _,
      segments: __,
      ...contact
    } = webhookBody({ event: 'Completed Survey', person, account, survey, answers }, at)
    return { ...listedResponse(response as Step['body']), form, contact }
  })
  const contacts = new Map(responses.map(({ contact }) => [contact['uuid'], contact]))
  return { responses, contacts: [...contacts.values()] }
}

const PAST_ANSWERS = [
  ['8', 'The charts'],
  ['10', 'It is quick'],
  ['6', 'The support'],
  ['7', 'The price'],
  ['9', 'The exports'],
  ['9', 'The shortcuts'],
  ['5', 'Not much so far'],
  ['8', 'The documentation'],
] as const

const DAY_MS = 86_400_000

/** The API gives moments without fractions of a second, `2026-01-31 08:00:00` in UTC. */
function listedResponse(response: Step['body']): Step['body'] {
  return Object.fromEntries(
    Object.entries(response).map(([name, value]) => [
      name,
      name.endsWith('_at') && typeof value === 'string' ? value.slice(0, 19).replace('T', ' ') : value,
    ]),
  )
}

/** A webhook body with the fields that Refiner sends, as recorded; see `SampleInteraction` for what varies. */
function webhookBody(
  { event, person, account, survey, answers }: SampleInteraction,
  now: Date,
): Step['body'] {
  const at = refinerTime(now)
  const completed = event === 'Completed Survey'
  return {
    uuid: Bun.randomUUIDv5(person.id, 'url'),
    remote_id: person.id,
    email: person.email,
    display_name: person.name,
    first_seen_at: at,
    last_seen_at: at,
    attributes: {},
    segments: [],
    account: webhookAccount(account, at),
    triggered_event: event,
    form: survey,
    response: {
      uuid: Bun.randomUUIDv5(`${person.id} ${survey.uuid}`, 'url'),
      first_shown_at: at,
      last_shown_at: at,
      show_counter: 1,
      first_data_reception_at: completed ? at : null,
      last_data_reception_at: completed ? at : null,
      completed_at: completed ? at : null,
      dismissed_at: event === 'Dismissed Survey' ? at : null,
      received_at: completed ? at : null,
      data: answers,
      tags: [],
    },
  }
}

/** Refiner sends an account object for everyone; without an account its remote_id is null. */
function webhookAccount(account: Account | null, at: string): Step['body'] {
  return {
    uuid: Bun.randomUUIDv5(account?.id ?? 'no account', 'url'),
    remote_id: account?.id ?? null,
    domain: null,
    display_name: account?.name ?? null,
    first_seen_at: at,
    last_seen_at: at,
    attributes: account === null ? {} : { name: account.name, ...account.attributes },
  }
}

/** ISO 8601 with microseconds, as Refiner's webhooks have it. */
function refinerTime(at: Date): string {
  return at.toISOString().replace('Z', '000Z')
}
