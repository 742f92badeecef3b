package configs

import (
	"crypto/sha256"

	"doorward/runtime/mfapolicy"
)

// documents are the kinds that have documents of their own, each before those
// that name it. Applying files writes and names them in this order.
func documents() []*Kind {
	return []*Kind{
		environmentKind(), passwordPolicyKind(), populationKind(), agreementKind(), formKind(), externalServiceKind(), notificationsKind(),
		fido2PolicyKind(), mfaPolicyKind(), mfaSettingsKind(), identityProviderKind(), flowDefinitionKind(), signOnPolicyKind(), recaptchaKind(), applicationKind(),
	}
}

// The names of kinds that code asks for.
const (
	kindEnvironment      = "environment"
	kindPasswordPolicy   = "passwordPolicy"
	kindPopulation       = "population"
	kindAgreement        = "agreement"
	kindForm             = "form"
	kindExternalService  = "externalService"
	kindNotifications    = "notificationsSettings"
	kindFIDO2Policy      = "fido2Policy"
	kindMFAPolicy        = "deviceAuthenticationPolicy"
	kindMFASettings      = "mfaSettings"
	kindIdentityProvider = "identityProvider"
	kindFlowDefinition   = "flowDefinition"
	kindSignOnPolicy     = "signOnPolicy"
	kindRecaptcha        = "recaptchaConfig"
	kindApplication      = "application"
)

// Source: reference/management.md 5.1.
func environmentKind() *Kind {
	return declare[environmentDocument](Kind{
		Name: kindEnvironment, Title: "environment", Collection: "environments", Singleton: true,
		fixed: []string{"managed", "demo", "region"}, kept: []string{"authBase", "apiBase"},
	})
}

// Source: reference/management.md 5.5.
func passwordPolicyKind() *Kind {
	return declare[passwordPolicyDocument](Kind{
		Name: kindPasswordPolicy, Title: "password policy", Collection: "passwordPolicies",
		defaults: true, kept: []string{"default"}, readOnly: []string{"populationCount"},
	})
}

// Source: reference/management.md 5.2.
func populationKind() *Kind {
	return declare[populationDocument](Kind{
		Name: kindPopulation, Title: "population", Collection: "populations",
		defaults: true, kept: []string{"default"}, readOnly: []string{"userCount"},
		Relations: []Relation{{"passwordPolicy", kindPasswordPolicy}},
	})
}

// Source: reference/management.md 5.9.
func agreementKind() *Kind {
	return declare[agreementDocument](Kind{
		Name: kindAgreement, Title: "agreement", Collection: "agreements", across: agreementAcross,
		readOnly: []string{"totalConsents", "totalExpiredConsents", "consentsAggregatedAt"},
		Parts: []*Kind{{
			Name: "agreementLanguage", Title: "language", Collection: "languages", Relation: "language", ordered: "locale",
			readOnly: []string{"currentRevision"}, shows: showsLanguage,
			Parts: []*Kind{{
				Name: "agreementRevision", Title: "revision", Collection: "revisions", Relation: "revision", ordered: "effectiveAt", final: true,
				readOnly: []string{"notValidAfter"}, withheld: []string{"text"}, shows: showsRevision, enters: entersRevision, leaves: leavesRevision,
			}},
		}},
	})
}

// Source: reference/management.md 3.2.
func formKind() *Kind {
	return declareAs(Kind{
		Name: kindForm, Title: "form", Collection: "forms", Created: "created", Modified: "modified", Pinned: true,
		fixed: []string{"category"}, readOnly: []string{"fieldTypes"}, refers: formRefers, shows: showsForm,
	}, readForm)
}

// Source: reference/management.md 1.2.
func externalServiceKind() *Kind {
	services := judged{by: map[[sha256.Size]byte]*externalServiceDocument{}}
	return declareAs(Kind{
		Name: kindExternalService, Title: "external service", Collection: "externalServices", Pinned: true,
		apart: []string{serviceSecrets}, seals: sealsService, spares: sparesService, omits: omitsService,
		across: serviceAcross, doubts: serviceDoubts, shows: showsService,
	}, services.read)
}

// Source: reference/management.md 5.13.
func notificationsKind() *Kind {
	return declare[notificationsDocument](Kind{
		Name: kindNotifications, Title: "notifications settings", Collection: "notificationsSettings", Singleton: true,
		refers: notificationsRefers, across: notificationsAcross,
	})
}

// Source: reference/management.md 5.10.
func fido2PolicyKind() *Kind {
	return declareAs(Kind{
		Name: kindFIDO2Policy, Title: "FIDO2 policy", Collection: "fido2Policies",
		defaults: true, implied: true, kept: []string{"default"}, across: fido2Across, doubts: fido2Doubts,
	}, ruledBy(readFIDO2Policy))
}

// Source: reference/management.md 5.10.
func mfaPolicyKind() *Kind {
	return declareAs(Kind{
		Name: kindMFAPolicy, Title: "MFA policy", Collection: "deviceAuthenticationPolicies",
		defaults: true, implied: true, kept: []string{"default"}, readOnly: []string{"forSignOnPolicy"},
		refers: mfaPolicyRefers, across: mfaPolicyAcross, shows: showsMFAPolicy,
	}, ruledBy(mfapolicy.ReadPolicy))
}

// Source: reference/management.md 5.10.
func mfaSettingsKind() *Kind {
	return declareAs(Kind{
		Name: kindMFASettings, Title: "MFA settings", Collection: "mfaSettings", Singleton: true, across: settingsAcross, stands: standingSettings,
	}, ruledBy(mfapolicy.ReadSettings))
}

// Source: reference/management.md 5.6.
func identityProviderKind() *Kind {
	return declare[identityProviderDocument](Kind{
		Name: kindIdentityProvider, Title: "identity provider", Collection: "identityProviders",
		secrets: []string{"clientSecret"}, spares: sparesProvider, completes: completeProvider, refers: providerRefers, across: providerAcross,
		Parts: []*Kind{{
			Name: "identityProviderAttribute", Title: "attribute", Collection: "attributes", Relation: "attribute", ordered: "name",
			fixed: []string{"name"}, readOnly: []string{"mappingType"}, shows: showsAttribute, leaves: leavesAttribute,
		}},
	})
}

// Source: reference/management.md 2.2.
func flowDefinitionKind() *Kind {
	return declareAs(Kind{
		Name: kindFlowDefinition, Title: "flow definition", Collection: "flowDefinitions", Pinned: true, across: definitionAcross,
		refers: definitionRefers, plan: definitionPlan,
	}, readDefinition)
}

// Source: reference/management.md 4.1 to 4.3.
func signOnPolicyKind() *Kind {
	return declare[signOnPolicyDocument](Kind{
		Name: kindSignOnPolicy, Title: "sign-on policy", Collection: "signOnPolicies",
		defaults: true, kept: []string{"default"}, refers: policyRefers, across: policyAcross, doubts: policyDoubts, plan: policyPlan,
		Parts: []*Kind{{Name: "signOnPolicyAction", Title: "action", Collection: "actions", ordered: "priority"}},
	})
}

// Source: reference/management.md 3.6.
func recaptchaKind() *Kind {
	return declare[recaptchaDocument](Kind{
		Name: kindRecaptcha, Title: "recaptcha configuration", Collection: "recaptchaV2Config", Singleton: true,
		Created: "created", Modified: "modified", secrets: []string{"secretKey"}, across: recaptchaAcross,
	})
}

// Source: reference/management.md 5.7.
func applicationKind() *Kind {
	return declare[applicationDocument](Kind{
		Name: kindApplication, Title: "application", Collection: "applications",
		secrets: []string{"secret"}, across: applicationAcross,
		Parts: []*Kind{{
			Name: "signOnPolicyAssignment", Title: "assignment", Collection: "signOnPolicyAssignments", ordered: "priority",
			Relations: []Relation{{"signOnPolicy", kindSignOnPolicy}},
		}},
	})
}
