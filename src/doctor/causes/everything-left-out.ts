import { type Cause, counted, inEachTenant, refusals } from '../finding.ts'

const ENOUGH = 5

/** The settings leave out all that comes. */
export const everythingLeftOut: Cause = {
  name: 'everything_left_out',
  looksAt: 'whether a direction is switched off that is used, or a filter leaves out everything',
  find(facts) {
    return [...switchedOff(facts), ...leftOut(facts)]
  },
}

function switchedOff(facts: Parameters<Cause['find']>[0]) {
  return Object.entries(facts.tenants).flatMap(([name, { settings }]) =>
    [
      { route: '/v1/refiner/', from: 'Refiner', on: settings.to_segment, setting: 'to_segment.enabled' },
      { route: '/v1/', from: 'Segment', on: settings.to_refiner, setting: 'to_refiner.enabled' },
    ].flatMap(({ route, from, on, setting }) => {
      const refused = refusals(facts, name, route, 403).filter(
        (one) => from === 'Refiner' || !one.route.startsWith('/v1/refiner/'),
      )
      if (refused.length === 0 || (on && settings.enabled)) return []
      const times = refused.reduce((sum, one) => sum + one.times, 0)
      const what = settings.enabled ? setting : 'enabled'
      return [
        {
          tenant: name,
          likelihood: 'certain' as const,
          problem: `what ${from} sends is refused with 403, because tenants.${name}.${what} is false`,
          evidence: [`${counted(times, 'request')} refused since the start`],
          advice: [
            `set tenants.${name}.${what} to true, or take the ${from === 'Refiner' ? 'webhook in Refiner' : 'destination in Segment'} away`,
          ],
        },
      ]
    }),
  )
}

const leftOut = inEachTenant(({ settings, from_refiner, from_segment }) =>
  [
    { sample: from_refiner.sample, kinds: REFINER_FILTERS },
    { sample: from_segment.sample, kinds: SEGMENT_FILTERS },
  ].flatMap(({ sample, kinds }) =>
    kinds.flatMap(({ pattern, what, advice }) => {
      const items = sample.outcomes
        .filter(({ state, reason }) => state === 'skipped' && pattern.test(reason ?? ''))
        .reduce((sum, one) => sum + one.items, 0)
      if (items < ENOUGH || items < sample.items) return []
      const { include, exclude } = settings.surveys
      return [
        {
          likelihood: 'certain' as const,
          problem: `everything that comes is left out by ${what}: all of the newest ${items} items`,
          evidence:
            what === 'to_segment.surveys'
              ? [`include: ${JSON.stringify(include)}, exclude: ${JSON.stringify(exclude)}`]
              : [],
          advice,
        },
      ]
    }),
  ),
)

const REPLAY =
  'then replay what was skipped: `refiner-sync deliveries replay --state skipped --remap --dry-run`'
const REFINER_FILTERS = [
  {
    pattern: /left out by to_segment\.surveys/,
    what: 'to_segment.surveys',
    advice: [
      "compare the patterns with the surveys' names in Refiner: case and spaces count, * stands for any characters",
      REPLAY,
    ],
  },
  {
    pattern: /leave nothing to send|no event name is set/,
    what: 'to_segment.calls and to_segment.events',
    advice: [
      'name an event for what comes, such as `events: { seen: Saw Survey }`, or see which webhooks Refiner sends',
      REPLAY,
    ],
  },
]
const SEGMENT_FILTERS = [
  {
    pattern: /left out by to_refiner\.events|to_refiner\.calls leaves out/,
    what: 'to_refiner.calls and to_refiner.events',
    advice: ['compare calls and the patterns of events with what Segment sends', REPLAY],
  },
]
