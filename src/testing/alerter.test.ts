import { alerterConformance, createRecordingAlerter } from './alerter.ts'

alerterConformance('the recording alerter', async () => {
  const alerter = createRecordingAlerter()
  return { alerter, received: async () => alerter.alerts, breakTarget: async () => {} }
})
