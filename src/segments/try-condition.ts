import type { Clock } from '../contracts/clock.ts'
import type { Expression } from '../rules/expression.ts'
import { membershipsOf } from '../rules/segment-conditions.ts'
import type { Store } from '../store/open.ts'
import { reading } from '../store/reading.ts'
import { usersAfter } from '../store/segments.ts'
import { findUserFacts } from '../store/user-facts.ts'

/** What a condition comes to for some users of a tenant. */
export interface TrialPart {
  readonly looked: number
  readonly members: readonly string[]
  /** How often it failed, by the reasons, which quote no value. */
  readonly failures: ReadonlyMap<string, number>
  /** The user ID from behind which it is to be gone on; null when all have been looked at. */
  readonly next: string | null
}

const AT_ONCE = 100
const STEP_MS = 4

/** Evaluates a condition for the users behind `after`, for some milliseconds; nothing comes of it. */
export function tryCondition(
  store: Store,
  condition: Expression,
  { tenant, after, clock }: { tenant: string; after: string; clock: Clock },
): TrialPart {
  const until = clock.elapsed() + STEP_MS
  return reading(store, () => {
    const users = usersAfter(store, { tenant, after, limit: AT_ONCE })
    const members: string[] = []
    const failures = new Map<string, number>()
    let looked = 0
    for (const { userId } of users) {
      looked += 1
      const facts = findUserFacts(store, tenant, userId)!
      const [{ member, failure }] = membershipsOf([condition], facts) as [
        { member: boolean; failure: string | null },
      ]
      if (member) members.push(userId)
      if (failure !== null) failures.set(failure, (failures.get(failure) ?? 0) + 1)
      if (clock.elapsed() >= until) break
    }
    const isAll = looked === users.length && users.length < AT_ONCE
    return { looked, members, failures, next: isAll ? null : users[looked - 1]!.userId }
  })
}
