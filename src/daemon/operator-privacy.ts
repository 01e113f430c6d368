import type { Privacy } from '../console/privacy.ts'
import type { Clock } from '../contracts/clock.ts'
import { identifiersOf } from '../store/identities.ts'
import type { Store } from '../store/open.ts'
import { findReceipt, listReceipts, type Receipt } from '../store/receipts.ts'
import type { Forgetting } from './forgetting.ts'

/** One answer waits so long, and then says that it goes on. */
const ANSWER_MS = 15_000
/** For so long a request is known again. */
const KNOWN_MS = 600_000

export interface OperatorPrivacyParts {
  readonly store: Store
  readonly clock: Clock
  readonly forgetting: Forgetting
  readonly tenants: () => readonly string[]
}

/** Forgetting, as the operator asks for it. */
export function operatorPrivacy({ store, clock, forgetting, tenants }: OperatorPrivacyParts): Privacy {
  const underWay = new Map<string, Promise<Receipt>>()
  return {
    tenants,
    ambiguous(tenant, whom) {
      const { userIds, shared } = identifiersOf(store, tenant, whom)
      if ('userId' in whom || userIds.length > 0 || shared.length === 0) return null
      return [...new Set(shared.flatMap((one) => one.userIds))]
    },
    forget(request, tenant, whom, by) {
      let work = underWay.get(request)
      if (work === undefined) {
        work = forgetting.forget(tenant, whom, by)
        underWay.set(request, work)
        const forgetIt = () => void clock.after(KNOWN_MS, () => underWay.delete(request))
        work.then(forgetIt, () => underWay.delete(request))
      }
      return Promise.race([work, new Promise<null>((resolve) => clock.after(ANSWER_MS, () => resolve(null)))])
    },
    suppress: (tenant, whom, by) => forgetting.suppress(tenant, whom, by),
    lift: (tenant, whom, terms) => forgetting.lift(tenant, whom, terms),
    receipt: (id) => findReceipt(store, id),
    receipts: (before, limit) => listReceipts(store, { before, limit }),
  }
}
