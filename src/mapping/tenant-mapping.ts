import type { Tenant } from '../contracts/configuration.ts'
import type { CompiledEventRule, CompiledInteractionRule } from '../rules/compiled-rules.ts'
import { compileEventRules, compileInteractionRules, type CompiledRules } from '../rules/compile-rules.ts'

/** A tenant's settings with its rules compiled, once for all items. */
export interface TenantMapping {
  readonly tenant: Tenant
  readonly toSegment: readonly CompiledInteractionRule[]
  readonly toRefiner: readonly CompiledEventRule[]
}

/** Compiles the rules of a tenant. Throws on one that is wrong: the configuration has checked them before. */
export function compileMapping(tenant: Tenant): TenantMapping {
  return {
    tenant,
    toSegment: rulesOf(tenant.name, compileInteractionRules(tenant.toSegment.mapping)),
    toRefiner: rulesOf(tenant.name, compileEventRules(tenant.toRefiner.mapping)),
  }
}

function rulesOf<Rule>(tenant: string, { rules, problems }: CompiledRules<Rule>): readonly Rule[] {
  const [first] = problems
  if (first !== undefined) throw new Error(`compiling the rules of tenant ${tenant}: ${first.message}`)
  return rules
}
