# Reads mails with Email::MIME. Names of files come in, one a line; a line of JSON each goes out: what the mail says.
use strict;
use warnings;
use Email::MIME;
use Encode qw(decode);
use JSON::PP;

my $json = JSON::PP->new->ascii;

# Email::MIME gives of an address outside ASCII (RFC 6532) its octets.
sub mailbox {
    my ($mail, $field) = @_;
    my @found = $mail->header_as_obj($field)->addresses;
    die "$field has not one address" if @found != 1;
    return [$found[0]->phrase // '', decode('UTF-8', $found[0]->address, Encode::FB_CROAK)];
}

while (my $name = <STDIN>) {
    chomp $name;
    open my $file, '<:raw', $name or die "$name: $!";
    my $mail = Email::MIME->new(do { local $/; <$file> });
    my %said;
    $mail->walk_parts(sub {
        my ($part) = @_;
        my ($kind) = split /;/, $part->content_type;
        $said{$kind} = $part->body_str if !$part->subparts;
    });
    print $json->encode({
        subject => $mail->header_str('Subject') // '',
        from_ => mailbox($mail, 'From'),
        to => mailbox($mail, 'To'),
        text => $said{'text/plain'},
        html => $said{'text/html'},
        fields => [$mail->header_names],
    }), "\n";
}
