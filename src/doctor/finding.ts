import type { Facts, TenantFacts } from '../contracts/diagnosis.ts'

/** How sure a cause is of itself. */
export type Likelihood = 'certain' | 'likely' | 'possible'

/** What is wrong, in plain words. Names settings, never values of secrets nor people. */
export interface Finding {
  /** Null where it concerns all tenants. */
  readonly tenant: string | null
  readonly likelihood: Likelihood
  /** One sentence. */
  readonly problem: string
  /** What speaks for it. */
  readonly evidence: readonly string[]
  /** What to do, the first thing first. */
  readonly advice: readonly string[]
}

/**
 * One thing that can be wrong: a pure function over the facts. A new one is a file under causes/ and a line in
 * causes.ts, which says where it stands among those that are as likely.
 */
export interface Cause {
  /** Stable, for programs. */
  readonly name: string
  /** What it looks at, as a line under "looked at". */
  readonly looksAt: string
  find(facts: Facts): readonly Finding[]
}

/** A finding in one tenant, by a cause that is told which. */
export type TenantFinding = Omit<Finding, 'tenant'>

/** A cause that is sought in each tenant that is switched on. `find` names no tenant: that is added. */
export function inEachTenant(
  find: (tenant: TenantFacts, facts: Facts, name: string) => readonly TenantFinding[],
): (facts: Facts) => Finding[] {
  return (facts) =>
    Object.entries(facts.tenants)
      .filter(([, { settings }]) => settings.enabled)
      .flatMap(([name, tenant]) => find(tenant, facts, name).map((finding) => ({ ...finding, tenant: name })))
}

/** When the latest request of a source was taken, in ms since 1970; null for never. */
export function lastRequest(
  facts: Facts,
  tenant: string,
  source: 'refiner_webhook' | 'segment',
): number | null {
  const { from_refiner, from_segment } = facts.tenants[tenant]!
  const stored = (source === 'segment' ? from_segment : from_refiner).by_origin.webhook.last
  const sinceStart = facts.intake.accepted.find((one) => one.tenant === tenant && one.source === source)?.last
  const moments = [stored, sinceStart]
    .filter((moment) => typeof moment === 'string')
    .map((moment) => Date.parse(moment))
  return moments.length === 0 ? null : Math.max(...moments)
}

/** What was refused on the way that `route` begins with. */
export function refusals(facts: Facts, tenant: string | null, route: string, status: number) {
  return facts.intake.refused.filter(
    (one) => one.tenant === tenant && one.status === status && one.route.startsWith(route),
  )
}

export const MINUTE_MS = 60_000
export const DAY_MS = 86_400_000

/** Such as `3 days`, `2 hours`, `40 seconds`. */
export function inWords(ms: number): string {
  const [unit, length] = UNITS.find(([, length]) => ms >= 2 * length) ?? ['second', 1000]
  const number = Math.round(ms / length)
  return `${number} ${unit}${number === 1 ? '' : 's'}`
}

const UNITS = [
  ['day', DAY_MS],
  ['hour', 3_600_000],
  ['minute', MINUTE_MS],
  ['second', 1000],
] as const

/** `1 response`, `2 responses`. */
export function counted(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** A text as one argument of a shell. */
export function quoted(text: string): string {
  return /^[\w./:@=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
