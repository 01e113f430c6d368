import type { Interaction } from '../contracts/interaction.ts'
import type { JsonValue } from '../contracts/json.ts'
import { epochMs } from '../json/timestamps.ts'
import { npsScore } from '../rules/functions.ts'
import { scopedName } from '../rules/names.ts'
import { isFreeText, isNumberText, isPlainName, looksLikeNps } from './looks.ts'

/** What the answers of one survey suggest. Names are those of questions, in the order of the answers. */
export interface Proposal {
  readonly survey: string | null
  readonly kind: Interaction['kind']
  /** They look like NPS scores. */
  readonly nps: readonly string[]
  readonly casts: readonly { readonly name: string; readonly type: 'number' | 'date' }[]
  /** They have several choices, which are sent as a list. */
  readonly lists: readonly string[]
  /** They look like free text, which may hold anything. */
  readonly freeTexts: readonly string[]
}

/** Looks at the answers of a recorded survey. */
export function proposeRules({ survey, kind, answers }: Interaction): Proposal {
  const looks = Object.entries(answers)
    // A name that is no plain one may be personal itself, and one with a scope means something else in a rule.
    .filter(([name]) => isPlainName(name) && scopedName(name).scope === null && !name.includes('*'))
    .map(([name, value]) => ({ name, look: lookOf(name, value) }))
  const named = (look: Look) => looks.filter((one) => one.look === look).map(({ name }) => name)
  const casts = looks.flatMap(({ name, look }) =>
    look === 'number' || look === 'date' ? [{ name, type: look }] : [],
  )
  return {
    survey: survey.name,
    kind,
    nps: named('nps'),
    casts,
    lists: named('list'),
    freeTexts: named('free text'),
  }
}

type Look = 'nps' | 'number' | 'date' | 'list' | 'free text' | 'other'

function lookOf(name: string, value: JsonValue): Look {
  if (Array.isArray(value)) return 'list'
  if (looksLikeNps(name) && npsScore(value) !== null) return 'nps'
  if (typeof value !== 'string') return 'other'
  if (isNumberText(value)) return 'number'
  if (epochMs(value) !== null) return 'date'
  return isFreeText(value) ? 'free text' : 'other'
}
