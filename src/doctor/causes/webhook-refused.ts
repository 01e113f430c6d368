import type { RefusedFacts, TenantSettingsFacts } from '../../contracts/diagnosis.ts'
import { type Cause, counted, DAY_MS, inEachTenant, inWords, lastRequest, refusals } from '../finding.ts'

/** Refiner calls, and its secret is not what, or not where, the configuration says. */
export const webhookRefused: Cause = {
  name: 'webhook_refused',
  looksAt: 'webhooks of Refiner that were refused with 401, and where they carry the secret',
  find: inEachTenant(({ settings }, facts, name) => {
    const [refused] = refusals(facts, name, '/v1/refiner/', 401)
    const { webhook } = settings
    if (refused === undefined || webhook === null) return []
    const last = lastRequest(facts, name, 'refiner_webhook')
    // What was set right since then is no news.
    if (last !== null && last > Date.parse(refused.last)) return []
    const { problem, advice } = judge(refused.carried, webhook)
    // Anybody can call a URL: where webhooks arrive, somebody who has no secret is most likely not Refiner.
    const works = last !== null && Date.parse(facts.at) - last < 2 * DAY_MS
    const carriesNone = !isThere(refused.carried, webhook) && placesOf(refused.carried).length === 0
    return [
      {
        likelihood: !works ? 'certain' : carriesNone ? 'possible' : 'likely',
        problem: `webhooks to /v1/refiner/${name} are refused with 401: ${problem}`,
        evidence: [
          `${counted(refused.times, 'request')} refused since the start, the last one ${inWords(Date.parse(facts.at) - Date.parse(refused.last))} ago`,
          `the configuration expects the secret ${placeOf(webhook)}; the last request carried ${tellCarried(refused.carried)}`,
        ],
        advice,
      },
    ]
  }),
}

type Webhook = NonNullable<TenantSettingsFacts['webhook']>
type Carried = RefusedFacts['carried']

function judge(carried: Carried, webhook: Webhook): { problem: string; advice: string[] } {
  if (isThere(carried, webhook)) {
    const what = webhook.in === 'hmac' ? 'the signature does not fit' : 'it is another secret'
    const more =
      webhook.in === 'hmac'
        ? ['also compare refiner.webhook.algorithm and encoding with what the sender uses']
        : []
    return {
      problem: `the secret is in its place, but ${what}`,
      advice: [
        "make refiner.webhook.secret the same as the webhook's secret in Refiner, without spaces around it",
        ...more,
      ],
    }
  }
  const elsewhere = placesOf(carried)
  return {
    problem:
      elsewhere.length === 0
        ? 'they carry no secret at all'
        : 'the secret is not where it is expected: it comes in another place, or not at all',
    advice:
      elsewhere.length === 0
        ? [`give the webhook its secret in Refiner, so that it comes ${placeOf(webhook)}`]
        : [
            `if one of these is the secret, set refiner.webhook to it: ${elsewhere.join(', or ')}`,
            `if none is, the webhook has no secret: give it one in Refiner, so that it comes ${placeOf(webhook)}`,
          ],
  }
}

function isThere({ headers, authorization, query }: Carried, webhook: Webhook): boolean {
  switch (webhook.in) {
    case 'bearer':
      return authorization === 'bearer'
    case 'header':
    case 'hmac':
      return (
        headers.includes(webhook.name?.toLowerCase() ?? '') ||
        (webhook.name?.toLowerCase() === 'authorization' && authorization !== null)
      )
    case 'query':
      return query.includes(webhook.name ?? '')
  }
}

function placesOf({ headers, authorization, query }: Carried): string[] {
  const bearer = authorization === 'bearer' ? ['{ in: bearer }'] : []
  const named = (way: 'header' | 'query') => (name: string) =>
    `{ in: ${way === 'header' && /sign|hmac/.test(name) ? 'hmac' : way}, name: ${name} }`
  const header = authorization !== null && authorization !== 'bearer' ? ['authorization'] : []
  return [...bearer, ...[...header, ...headers].map(named('header')), ...query.map(named('query'))]
}

function placeOf({ in: way, name }: Webhook): string {
  switch (way) {
    case 'bearer':
      return 'as a Bearer token'
    case 'header':
      return `in the header ${name}`
    case 'query':
      return `in the query parameter ${name}`
    case 'hmac':
      return `as a signature in the header ${name}`
  }
}

function tellCarried({ headers, authorization, query }: Carried): string {
  const parts = [
    ...(authorization === null ? [] : [`Authorization (${authorization})`]),
    ...headers.map((name) => `the header ${name}`),
    ...query.map((name) => `the query parameter ${name}`),
  ]
  return parts.length === 0 ? 'nothing that could be one' : parts.join(', ')
}
