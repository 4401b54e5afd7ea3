# Judges mails with SpamAssassin's own rules and nothing of the network. Names of files come in, one a line; a line of JSON each goes out:
# the rules that they meet, each with its points.
use strict;
use warnings;
use File::Temp qw(tempdir);
use JSON::PP;
use Mail::SpamAssassin;

$| = 1;
my $home = tempdir(CLEANUP => 1);
my $judge = Mail::SpamAssassin->new({
  local_tests_only => 1, dont_copy_prefs => 1, userprefs_filename => '/dev/null', userstate_dir => $home, home_dir_for_helpers => $home,
  post_config_text => "use_bayes 0\nuse_auto_whitelist 0\n",
});
$judge->compile_now(0, 1);
while (my $name = <STDIN>) {
  chomp $name;
  open my $file, '<:raw', $name or die "$name: $!";
  my $mail = $judge->parse(do { local $/; <$file> });
  my $status = $judge->check($mail);
  my %points = map { $_ => 0 + ($status->{conf}{scores}{$_} // 0) } grep { length } split /,/, $status->get_names_of_tests_hit();
  print JSON::PP->new->canonical->encode(\%points), "\n";
  $status->finish();
  $mail->finish();
}
