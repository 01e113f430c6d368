/**
 * Says of each NPS answer what it means and whether somebody should get in touch: for alerts, audiences and a closed loop.
 *
 * A completed survey with a score gives its `identify` and its `track` these fields:
 *
 * - `nps_score`: from 0 to 10, as a number
 * - `nps_category`: `detractor`, `passive` or `promoter`
 * - `follow_up`: `needed` or `none`
 * - `follow_up_reason`: where it is needed, such as `detractor (3 of 10), with a comment`
 *
 * ```yaml
 * plugins:
 *   nps-category:
 *     path: ./plugins/nps-category.ts
 *     options:
 *       question: nps #            the question's key, or a list: the first that has a score counts. Default: nps
 *       detractor_below: 7 #       default: 7
 *       promoter_from: 9 #         default: 9
 *       comment: comment #         the key of the question for a reason, or a list. Default: comment
 *       follow_up: [detractor] #   the categories that need a follow-up. Default: detractor
 *       trait_prefix: '' #         put before the traits' names. Default: none
 * ```
 */
import type { Plugin, PluginContext, PluginValue } from '../src/contracts/plugin.ts'

export default {
  name: 'nps-category',
  transform(interaction, messages, { options }) {
    if (interaction.kind !== 'completed') return messages
    const score = firstScore(interaction.answers, textsOf(options['question'], ['nps']))
    if (score === null) return messages
    const category = categoryOf(score, options)
    const isNeeded = textsOf(options['follow_up'], ['detractor']).includes(category)
    const hasComment = textsOf(options['comment'], ['comment']).some((key) =>
      isText(interaction.answers[key]),
    )
    const fields: Record<string, PluginValue> = {
      nps_score: score,
      nps_category: category,
      follow_up: isNeeded ? 'needed' : 'none',
    }
    if (isNeeded)
      fields['follow_up_reason'] = `${category} (${score} of 10)${hasComment ? ', with a comment' : ''}`
    const [prefix = ''] = textsOf(options['trait_prefix'], [''])
    for (const message of messages) {
      if (message.type === 'identify') message.traits = withFields(message.traits, fields, prefix)
      if (message.type !== 'track') continue
      // The event of a single question is about that question alone.
      const isQuestion = message.properties?.['question'] !== undefined
      if (!isQuestion) message.properties = withFields(message.properties, fields, '')
    }
    return messages
  },
} satisfies Plugin

/** The first of the questions that was answered with a whole number from 0 to 10. */
function firstScore(
  answers: Readonly<Record<string, PluginValue>>,
  questions: readonly string[],
): number | null {
  for (const question of questions) {
    const answer = answers[question]
    const score = typeof answer === 'string' && answer.trim() !== '' ? Number(answer) : answer
    if (typeof score === 'number' && Number.isInteger(score) && score >= 0 && score <= 10) return score
  }
  return null
}

function categoryOf(score: number, options: PluginContext['options']): string {
  if (score < Number(options['detractor_below'] ?? 7)) return 'detractor'
  return score < Number(options['promoter_from'] ?? 9) ? 'passive' : 'promoter'
}

/** An option that is a text or a list of them. */
function textsOf(option: PluginValue | undefined, otherwise: string[]): string[] {
  if (typeof option === 'string') return [option]
  return Array.isArray(option) ? option.filter((item) => typeof item === 'string') : otherwise
}

function isText(value: PluginValue | undefined): boolean {
  return typeof value === 'string' && value.trim() !== ''
}

function withFields(
  values: Record<string, PluginValue> = {},
  fields: Record<string, PluginValue>,
  prefix: string,
): Record<string, PluginValue> {
  for (const name in fields) values[prefix + name] = fields[name]!
  return values
}
