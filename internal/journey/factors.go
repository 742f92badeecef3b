package journey

import "encoding/json"

// Factors are the members of a flow that asks for devices or has them set up.
type Factors struct {
	BypassAllowed        *bool           `json:"bypassAllowed"` // nil: it asks for no device
	SelectedDevice       Device          `json:"selectedDevice"`
	DeviceAuthentication json.RawMessage `json:"deviceAuthentication"`
	Devices              []Device        `json:"devices"`
	Request              Options         `json:"publicKeyCredentialRequestOptionsJSON"`
	VendorRequest        string          `json:"publicKeyCredentialRequestOptions"`
	Push                 json.RawMessage `json:"push"`

	AllowedTypes       []string        `json:"allowedTypes"`
	AllowedTypesBeside []string        `json:"allowedtypes"` // as the documents write it
	Email              string          `json:"email"`
	MobilePhone        string          `json:"mobilePhone"`
	MFASettings        json.RawMessage `json:"mfaSettings"`
	Applications       json.RawMessage `json:"applications"`
	Device             Device          `json:"device"`
	Creation           Options         `json:"publicKeyCredentialCreationOptionsJSON"`
	VendorCreation     string          `json:"publicKeyCredentialCreationOptions"`
	TOTP               struct {
		Secret string `json:"secret"`
		URI    string `json:"uri"`
	} `json:"totp"`
	PairingKey struct {
		Code      string `json:"code"`
		ExpiresAt string `json:"expiresAt"`
		URI       string `json:"uri"`
	} `json:"pairingKey"`
	RecoveryCodes []string `json:"recoveryCodes"`
}

// Device is one that a person has.
type Device struct {
	ID             string          `json:"id"`
	Type           string          `json:"type"`
	Status         string          `json:"status"`
	Nickname       string          `json:"nickname"`
	Name           string          `json:"name"`
	Phone          string          `json:"phone"`
	Email          string          `json:"email"`
	Application    json.RawMessage `json:"application"`
	Lock           json.RawMessage `json:"lock"`
	VendorCreation string          `json:"publicKeyCredentialCreationOptions"`
}

// Options are what an authenticator is asked with, of either ceremony. Source:
// WebAuthn level 3, 5.4, 5.5.
type Options struct {
	Challenge string `json:"challenge"` // base64url, as all that are bytes
	RPID      string `json:"rpId"`      // of a request
	RP        struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"rp"` // of a creation
	User struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		DisplayName string `json:"displayName"`
	} `json:"user"`
	Allow            []Descriptor    `json:"allowCredentials"`
	Exclude          []Descriptor    `json:"excludeCredentials"`
	UserVerification string          `json:"userVerification"`
	Timeout          int             `json:"timeout"`
	Hints            []string        `json:"hints"`
	Parameters       json.RawMessage `json:"pubKeyCredParams"`
	Selection        json.RawMessage `json:"authenticatorSelection"`
	Attestation      string          `json:"attestation"`
	Extensions       json.RawMessage `json:"extensions"`
}

// Descriptor names a credential.
type Descriptor struct {
	Type       string   `json:"type"`
	ID         string   `json:"id"`
	Transports []string `json:"transports"`
}
