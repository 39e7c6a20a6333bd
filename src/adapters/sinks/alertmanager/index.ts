export { type AlertmanagerTarget, createAlertmanager } from './alertmanager.ts'
