import type { Plugin } from '../../src/contracts/plugin.ts'

/** What many plugins are: a look at an answer, and a change to one message. */
export default {
  name: 'small',
  transform(interaction, messages) {
    const isPromoter = Number(interaction.answers['nps']) >= 9
    for (const message of messages)
      if (isPromoter && message.type === 'track') message.event = 'Promoter Found'
    return messages
  },
} satisfies Plugin
