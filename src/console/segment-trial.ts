import type { Expression } from '../rules/expression.ts'
import { checkCondition, compileCondition } from '../rules/segment-conditions.ts'
import type { TrialPart } from '../segments/try-condition.ts'
import { json, refusal } from './answers.ts'
import { listed, noSuchTenant } from './people.ts'
import { unknownIn } from './query.ts'

/** The users, as far as trying a condition needs them. */
export interface Trials {
  tenants(): readonly string[]
  /** Some milliseconds of work. */
  tryPart(tenant: string, condition: Expression, after: string): TrialPart
  /** Lets everything else have its turn. */
  rest(): Promise<void>
}

/** So many are looked at for one answer: a second or two. */
const MOST_LOOKED_AT = 20_000
const SAMPLES = 10

/** What a condition would come to, or some of it. */
export interface ShownTrial {
  readonly tenant: string
  readonly looked: number
  readonly members: number
  /** The first of them, by their user IDs. */
  readonly samples: readonly string[]
  readonly failures: Readonly<Record<string, number>>
  /** What to go on `after`; null when all have been looked at. */
  readonly next: string | null
}

/** GET /api/conditions?tenant=&when=&after=: for whom a condition would hold. Nothing comes of it, and nobody is told. */
export async function tryCondition(
  trials: Trials,
  query: URLSearchParams,
  isStopping: () => boolean,
): Promise<Response> {
  const unknown = unknownIn(query, ['tenant', 'when', 'after'])
  if (unknown !== null) return refusal(400, unknown)
  const when = query.get('when')
  if (when === null) return refusal(400, 'name the condition, as when')
  const tenants = trials.tenants()
  const tenant = query.get('tenant') ?? (tenants.length === 1 ? tenants[0]! : null)
  if (tenant === null) return refusal(400, `name the tenant: ${listed(tenants)}`)
  const unknownTenant = noSuchTenant(query, trials)
  if (unknownTenant !== null) return unknownTenant
  const mistake = checkCondition(when).find(({ severity }) => severity === 'error')
  if (mistake !== undefined) {
    const hint = mistake.hint === null ? '' : `; ${mistake.hint}`
    return refusal(400, `the condition, at character ${mistake.at + 1}: ${mistake.message}${hint}`)
  }
  const condition = compileCondition(when)
  const samples: string[] = []
  const failures: Record<string, number> = {}
  let [looked, members] = [0, 0]
  let next: string | null = query.get('after') ?? ''
  while (next !== null && looked < MOST_LOOKED_AT) {
    if (isStopping()) return refusal(503, 'refiner-sync is stopping')
    const part: TrialPart = trials.tryPart(tenant, condition, next)
    looked += part.looked
    members += part.members.length
    samples.push(...part.members.slice(0, SAMPLES - samples.length))
    for (const [reason, count] of part.failures) failures[reason] = (failures[reason] ?? 0) + count
    next = part.next
    await trials.rest()
  }
  return json({ tenant, looked, members, samples, failures, next } satisfies ShownTrial)
}
