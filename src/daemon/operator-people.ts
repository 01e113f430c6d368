import type { People } from '../console/people.ts'
import type { Clock } from '../contracts/clock.ts'
import { emailConflicts } from '../store/email-conflicts.ts'
import type { Store } from '../store/open.ts'
import { personOf } from '../store/person.ts'
import { exportHead, exportPart } from '../store/person-export.ts'
import { reading } from '../store/reading.ts'
import { findProfile, userRow } from '../store/profiles.ts'
import { listUsersPart, tenantsWithItems, tenantsWithUsers } from '../store/users.ts'

export interface OperatorPeopleParts {
  readonly store: Store
  readonly clock: Clock
  /** The tenants of the configuration. */
  readonly tenants: () => Iterable<string>
}

/** Between two parts of something long, each of some milliseconds. */
const REST_MS = 2

/** The people as the operator sees them. */
export function operatorPeople({ store, clock, tenants }: OperatorPeopleParts): People {
  return {
    rest: () => new Promise((resolve) => clock.after(REST_MS, resolve)),
    elapsed: () => clock.elapsed(),
    tenants: () =>
      [...new Set([...tenants(), ...tenantsWithUsers(store), ...tenantsWithItems(store)])].toSorted(),
    hasUser: (tenant, userId) => userRow(store, { tenant, userId }).length > 0,
    listPart: (filter) => reading(store, () => listUsersPart(store, filter, clock)),
    find: (tenant, userId) => reading(store, () => findProfile(store, tenant, userId)),
    conflicts: (tenant, limit, after) => reading(store, () => emailConflicts(store, tenant, limit, after)),
    person: (tenant, whom) => reading(store, () => personOf(store, tenant, whom)),
    exportHead: (person) => reading(store, () => exportHead(store, person)),
    exportPart: (person, section, place) =>
      reading(store, () => exportPart(store, person, { section, place, clock })),
  }
}
