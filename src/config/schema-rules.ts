import { type Static, Type } from '@sinclair/typebox'
import { DEFAULTS } from './defaults.ts'
import { fieldSource } from './schema-choice.ts'
import {
  byName,
  call,
  calls,
  closed,
  expression,
  flag,
  oneOf,
  optional,
  template,
  text,
} from './schema-fields.ts'

/** The mapping rules, as the file writes them. */

const patternsOf = (description: string, example: readonly string[]) =>
  Type.Array(text('A name or pattern; `*` stands for any characters.'), { description, examples: [example] })

/** What the rules of both directions have. */
const common = {
  name: optional(
    text('What logs and tests call the rule. Default: #1, #2 …', { shown: true, examples: ['nps'] }),
  ),
  when: optional(
    expression('A CEL condition. Default: always.', {
      examples: ['survey.name.startsWith("NPS") && "nps" in answers'],
    }),
  ),
  on_error: optional(
    oneOf(
      ['skip_rule', 'dead'],
      'What an expression that fails does: leaves the rule out, or keeps the delivery as dead.',
      { default: DEFAULTS.onError },
    ),
  ),
  event: optional(
    template('The event name; may hold {{ CEL }}.', {
      examples: ['NPS Submitted', '{{ survey.name }} Answered'],
    }),
  ),
  traits: optional(fieldSource('User traits to set.', { nps_score: 'int(answers.nps)' })),
  group_traits: optional(fieldSource('Account attributes to set.', { plan: 'account.plan' })),
  rename: optional(
    byName(text('The new name.'), 'From one name to another.', { examples: [{ how_likely: 'nps' }] }),
  ),
  drop: optional(patternsOf('Names and patterns to leave out.', ['comment', 'internal_*'])),
  keep: optional(patternsOf('Names and patterns to keep; all others are left out.', ['nps', 'csat_*'])),
  cast: optional(
    byName(oneOf(['number', 'boolean', 'date', 'list'], 'The type.'), 'Types to turn values into.', {
      examples: [{ seats: 'number' }],
    }),
  ),
  skip: optional(text('Sends nothing, for this reason.', { examples: ['an internal survey'] })),
  stop: optional(flag(false, 'True leaves out the rules after this one once it has applied.')),
}

const Emit = Type.Object(
  {
    type: call('The call of the Segment spec.'),
    event: optional(
      template('The event name of a track; may hold {{ CEL }}.', { examples: ['NPS Submitted'] }),
    ),
    user_id: optional(expression("CEL. Default: the interaction's user.", { examples: ['user.id'] })),
    group_id: optional(expression("CEL. Default: the interaction's account.", { examples: ['account.id'] })),
    timestamp: optional(expression('CEL. Default: when the interaction happened.')),
    traits: optional(fieldSource('Traits of an identify or group.', { nps_score: 'int(answers.nps)' })),
    properties: optional(fieldSource('Properties of a track.', { score: 'int(answers.nps)' })),
    context: optional(fieldSource('Context to set.', { locale: '"en"' })),
    fields: optional(fieldSource('Further fields of the message itself.', { anonymousId: 'user.uuid' })),
  },
  { ...closed, description: 'An additional message.' },
)

/** A rule of to_segment.mapping. */
export const InteractionRuleFields = Type.Object(
  {
    ...common,
    properties: optional(fieldSource('Event properties to set.', { score: 'int(answers.nps)' })),
    context: optional(fieldSource('Context to set.', { locale: '"en"' })),
    calls: optional(
      calls('The calls that are made, in this order; [] for none.', { examples: [['identify', 'track']] }),
    ),
    emit: optional(Emit),
  },
  { ...closed, description: 'A rule for interactions.' },
)
export type InteractionRuleFields = Static<typeof InteractionRuleFields>

/** A rule of to_refiner.mapping. */
export const EventRuleFields = Type.Object(common, {
  ...closed,
  description: 'A rule for messages of Segment.',
})
export type EventRuleFields = Static<typeof EventRuleFields>
