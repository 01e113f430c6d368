import { DEFAULTS } from '../defaults.ts'
import type { Finding } from '../telling/finding.ts'
import { checkRuleList, ruleNames } from './rules.ts'
import type { Sheet } from './sheet.ts'
import { checkUnlikelyNames } from './unlikely-names.ts'

/** The rules of all tenants; those of presets are checked with the preset's own file. */
export function checkTenantRules(sheet: Sheet, presets: ReadonlyMap<string, Sheet>): Finding[] {
  return sheet.tenants().flatMap((tenant) => {
    const preset = presets.get(sheet.text('tenants', tenant, 'to_segment', 'preset') ?? '')
    const before = preset === undefined ? [] : ruleNames(presetRules(preset))
    const own = sheet.text('tenants', tenant, 'to_segment', 'trait_prefix')
    const traitPrefix = own ?? preset?.text('trait_prefix') ?? DEFAULTS.traitPrefix
    return [
      ...checkUnlikelyNames({ sheet, path: ['tenants', tenant, 'to_segment', 'mapping'], traitPrefix }),
      ...checkRuleList({
        sheet,
        path: ['tenants', tenant, 'to_segment', 'mapping'],
        direction: 'to_segment',
        before,
      }),
      ...checkRuleList({
        sheet,
        path: ['tenants', tenant, 'to_refiner', 'mapping'],
        direction: 'to_refiner',
        before: [],
      }),
    ]
  })
}

/** The rules of a preset's file. */
export function presetRules(sheet: Sheet) {
  return { sheet, path: ['mapping'], direction: 'to_segment', before: [] } as const
}
