/**
 * Sends an event of its own for each question that has a name here. `to_segment.events.question` gives all of them one name;
 * this gives each the name that your dashboards know, whatever the question is called in Refiner.
 *
 * Each event has the properties `survey_uuid`, `survey_name`, `response_uuid`, `question` and `answer`. Its message ID depends on
 * the question, so that the same answer sent twice counts once, and a changed answer counts anew.
 *
 * ```yaml
 * plugins:
 *   question-events:
 *     path: ./plugins/question-events.ts
 *     options:
 *       map:
 *         nps: NPS Answered
 *         what_is_missing: Feature Requested
 *       only: false #   true sends these events instead of the survey's own. Default: false
 * ```
 */
import type { Plugin, PluginMessage } from '../src/contracts/plugin.ts'

export default {
  name: 'question-events',
  transform(interaction, messages, { options }) {
    if (interaction.kind !== 'completed') return messages
    const names = options['map']
    if (typeof names !== 'object' || names === null || Array.isArray(names)) {
      throw new Error('options.map must name events by question, such as { nps: NPS Answered }')
    }
    const { survey, response, answers } = interaction
    const events = Object.entries(names).flatMap(([question, event]): PluginMessage[] => {
      const answer = answers[question]
      if (answer === undefined || typeof event !== 'string') return []
      const about = { survey_uuid: survey.uuid, survey_name: survey.name, response_uuid: response.uuid }
      return [{ type: 'track', messageId: question, event, properties: { ...about, question, answer } }]
    })
    const others = options['only'] === true ? messages.filter(({ type }) => type !== 'track') : messages
    return [...others, ...events]
  },
} satisfies Plugin
