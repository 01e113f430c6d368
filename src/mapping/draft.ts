import type { ToSegmentSettings } from '../contracts/configuration.ts'
import { type Interaction, RESPONSE_TIMESTAMPS } from '../contracts/interaction.ts'
import type { JsonObject } from '../contracts/json.ts'
import { put } from '../json/objects.ts'
import { type AnswerNames, type InteractionDraft, noOutcome } from '../rules/draft.ts'
import { npsCategory, npsScore } from '../rules/functions.ts'
import { matchesPattern } from '../rules/name-filter.ts'
import { prefixedName } from './prefixed-name.ts'

/** What the settings alone make of an interaction: where rules start from. */
export function createDraft(interaction: Interaction, settings: ToSegmentSettings): InteractionDraft {
  const { answers, account, kind, user } = interaction
  const { traitPrefix: prefix } = settings
  const nps = npsOf(answers, settings.nps)
  const taken = settings.nps.length > 0 ? NAMES_WITH_NPS : NAMES
  const traits: JsonObject = {}
  if (settings.userAttributes) putPrefixed(traits, prefix, user.attributes)
  if (user.email !== null) put(traits, prefixedName(prefix, 'email'), user.email)
  putPrefixed(traits, prefix, nps)
  const properties = eventFields(interaction)
  putPrefixed(properties, '', nps)
  const names = new Map<string, AnswerNames>()
  const isNamed = settings.mapping.length > 0 || settings.questionEvent !== null
  for (const answer in answers) {
    const trait = prefixedName(prefix, free(answer, taken.traits, answers))
    const property = free(answer, taken.properties, answers)
    // Nothing else asks under which names an answer stands.
    if (isNamed) names.set(answer, { trait, property })
    put(traits, trait, answers[answer]!)
    put(properties, property, answers[answer]!)
  }
  const groupTraits: JsonObject = {}
  putPrefixed(groupTraits, prefix, account.attributes)
  return {
    event: settings.events[kind],
    calls: callsOf(kind, settings),
    traits,
    properties,
    groupTraits,
    context: {},
    answers: names,
    traitPrefix: prefix,
    emitted: [],
    outcome: noOutcome(),
  }
}

/** The order in which a completed survey's messages go out. */
const CALLS = ['identify', 'group', 'track'] as const

/** Only a completed survey tells of the user and the account; everything else is an event. */
function callsOf(kind: Interaction['kind'], { calls }: ToSegmentSettings) {
  return CALLS.filter((call) => calls.has(call) && (kind === 'completed' || call === 'track'))
}

const PROPERTIES = ['survey_uuid', 'survey_name', 'response_uuid', ...RESPONSE_TIMESTAMPS, 'tags', 'segments']
const NPS = ['nps_score', 'nps_category']

/** Names that answers cannot have; also where there is no value for them, so that a name always means the same. */
const NAMES = { traits: new Set(['email']), properties: new Set(PROPERTIES) }
const NAMES_WITH_NPS = { traits: new Set(['email', ...NPS]), properties: new Set([...PROPERTIES, ...NPS]) }

/** Our own properties of an event, as far as they have a value. */
function eventFields({ survey, response, segments, kind }: Interaction): JsonObject {
  const fields: JsonObject = {}
  if (survey.uuid !== null) fields['survey_uuid'] = survey.uuid
  if (survey.name !== null) fields['survey_name'] = survey.name
  if (response.uuid !== null) fields['response_uuid'] = response.uuid
  for (const name of RESPONSE_TIMESTAMPS) {
    const moment = response.timestamps[name]
    if (moment !== null) fields[name] = moment
  }
  if (response.tags !== null) fields['tags'] = [...response.tags]
  if (kind === 'segment_entered') fields['segments'] = segments.map(({ name, uuid }) => name ?? uuid)
  return fields
}

/** What the first answer that is an NPS score means; nothing where there is none. */
function npsOf(answers: JsonObject, patterns: readonly string[]): JsonObject {
  for (const pattern of patterns) {
    for (const name in answers) {
      const score = matchesPattern(pattern, name) ? npsScore(answers[name]) : null
      if (score !== null) return { nps_score: score, nps_category: npsCategory(score) }
    }
  }
  return {}
}

/**
 * An answer goes by its own key, unless that is one of ours: then it is `answer_<key>`, and neither is lost.
 */
function free(key: string, names: ReadonlySet<string>, answers: JsonObject): string {
  if (!names.has(key)) return key
  let name = `answer_${key}`
  while (names.has(name) || Object.hasOwn(answers, name)) name = `answer_${name}`
  return name
}

function putPrefixed(into: JsonObject, prefix: string, values: JsonObject): void {
  for (const name in values) put(into, prefixedName(prefix, name), values[name]!)
}
