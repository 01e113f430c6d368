import type { SampleFacts } from '../../contracts/diagnosis.ts'
import { type Cause, inEachTenant } from '../finding.ts'

const ENOUGH = 3

/** A rule or a plugin that fails for whatever comes. */
export const alwaysFails: Cause = {
  name: 'always_fails',
  looksAt: 'whether a rule or a plugin fails for every item',
  find: inEachTenant(({ from_refiner, from_segment }, _, name) => [
    ...judge(from_refiner.sample, name, 'segment'),
    ...judge(from_segment.sample, name, 'refiner'),
  ]),
}

function judge({ items, outcomes, notes }: SampleFacts, tenant: string, destination: 'segment' | 'refiner') {
  if (items < ENOUGH) return []
  const dead = outcomes.find(
    ({ state, reason }) => state === 'dead' && /^(plugin |mapping it failed|rule )/.test(reason ?? ''),
  )
  const advice = [
    'see it step by step: save a webhook as webhook.json and run `refiner-sync try webhook.json`',
    `a test in the YAML keeps it right: \`refiner-sync test\``,
  ]
  if (dead !== undefined && dead.items >= items * 0.9) {
    const filter = `--state dead --tenant ${tenant} --destination ${destination}`
    return [
      {
        likelihood: 'certain' as const,
        problem: `nothing gets through: ${dead.reason}`,
        evidence: [`so it went with ${dead.items} of the newest ${items} items`],
        advice: [
          ...advice,
          `once it is mended: \`refiner-sync deliveries replay ${filter} --remap --dry-run\``,
        ],
      },
    ]
  }
  const [noted] = notes
  if (noted === undefined || noted.items < items * 0.9) return []
  return [
    {
      likelihood: 'certain' as const,
      problem: `a rule fails for nearly every item, and is left out: ${noted.text.slice(0, 300)}`,
      evidence: [`so it went with ${noted.items} of the newest ${items} items`],
      advice,
    },
  ]
}
