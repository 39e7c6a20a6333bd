export { createWebhook, type WebhookTarget } from './webhook.ts'
